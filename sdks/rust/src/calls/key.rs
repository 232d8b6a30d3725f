use reqwest::Method;

use crate::client::Client;
use crate::error::Error;
use crate::wire::key::Keys;

/// Keys.
impl Client {
    /// The public keys that statements are signed with.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn keys(&self) -> Result<Keys, Error> {
        self.scheduler(Method::GET, &["keys"]).send().await
    }
}
