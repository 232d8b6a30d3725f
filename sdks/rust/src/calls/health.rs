use reqwest::Method;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;

/// The server itself; no token needed.
impl Client {
    /// Succeeds when the server can do its work.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.call(Method::GET, &["readyz"]).bytes().await.map(drop)
    }

    /// The server's version.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn version(&self) -> Result<Value, Error> {
        self.call(Method::GET, &["version"]).send().await
    }
}
