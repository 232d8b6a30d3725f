//! Where the bearer token comes from.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use tokio::sync::Mutex;

use crate::error::Error;

/// A token file is read again after this long: whoever rotates it needs to tell nobody.
const FRESH: Duration = Duration::from_secs(10);

/// Largest token file; a JWT has about one kilobyte.
const TOKEN_MAX_BYTES: usize = 64 * 1024;

/// Where the bearer token comes from. Never printed.
#[derive(Clone)]
pub struct TokenSource(Source);

#[derive(Clone)]
enum Source {
    Fixed(String),
    File(PathBuf),
}

impl TokenSource {
    /// This token, for ever.
    pub fn fixed(token: impl Into<String>) -> Self {
        Self(Source::Fixed(token.into()))
    }

    /// The text of this file, without white space around it. It is read again from time to time and
    /// whenever the server refuses the token, so that it can be rotated.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Source::Fixed(_) => f.write_str("TokenSource::Fixed(…)"),
            Source::File(path) => write!(f, "TokenSource::File({})", path.display()),
        }
    }
}

/// A source with what was last read from it.
pub(crate) struct Token {
    source: TokenSource,
    last: Mutex<Option<(HeaderValue, Instant)>>,
}

impl Token {
    pub(crate) fn new(source: TokenSource) -> Self {
        Self {
            source,
            last: Mutex::new(None),
        }
    }

    /// The `Authorization` header. `refused` is the one the server did not take: `None` is the
    /// answer when there is still no other.
    ///
    /// # Errors
    /// [`Error::Token`] when the file cannot be read or holds no token.
    pub(crate) async fn bearer(
        &self,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Error> {
        let mut last = self.last.lock().await;
        let fresh = last
            .as_ref()
            .filter(|(known, read_at)| {
                Some(known) != refused && (self.is_fixed() || read_at.elapsed() < FRESH)
            })
            .map(|(known, _)| known.clone());
        if fresh.is_some() {
            return Ok(fresh);
        }
        let read = self.read().await?;
        *last = Some((read.clone(), Instant::now()));
        Ok(Some(read).filter(|read| Some(read) != refused))
    }

    fn is_fixed(&self) -> bool {
        matches!(self.source.0, Source::Fixed(_))
    }

    async fn read(&self) -> Result<HeaderValue, Error> {
        match &self.source.0 {
            Source::Fixed(token) => header(token),
            Source::File(path) => {
                let text = tokio::fs::read_to_string(path).await.map_err(|error| {
                    Error::Token(format!("{} cannot be read: {error}", path.display()))
                })?;
                header(&text)
            }
        }
    }
}

fn header(token: &str) -> Result<HeaderValue, Error> {
    let token = token.trim();
    if token.is_empty() || token.len() > TOKEN_MAX_BYTES {
        return Err(Error::Token("it is empty or far too long".to_owned()));
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::Token("it holds characters no token has".to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rotated_file_is_read_when_the_old_token_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "one\n").expect("written");
        let token = Token::new(TokenSource::file(file.path()));
        let one = token.bearer(None).await.expect("read").expect("a token");
        assert_eq!(one.to_str().expect("ASCII"), "Bearer one");
        assert_eq!(token.bearer(Some(&one)).await.expect("read"), None);
        std::fs::write(file.path(), "two").expect("written");
        let two = token.bearer(Some(&one)).await.expect("read");
        assert_eq!(two.expect("a token").to_str().expect("ASCII"), "Bearer two");
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused() {
        for bad in ["", " \n", "two\nlines"] {
            let error = Token::new(TokenSource::fixed(bad)).bearer(None).await;
            assert!(matches!(error, Err(Error::Token(_))), "{bad:?}");
        }
        let missing = Token::new(TokenSource::file("/nowhere/token"))
            .bearer(None)
            .await;
        assert!(matches!(missing, Err(Error::Token(_))));
    }

    #[test]
    fn a_token_is_never_printed() {
        let text = format!("{:?}", TokenSource::fixed("secret"));
        assert!(!text.contains("secret"), "{text}");
    }
}
