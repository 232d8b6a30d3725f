//! An issuer's key set from a pinned URL or file: kept, renewed, and used a while longer when it
//! cannot be had.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Mutex;

use super::key::{Algorithm, VerifyingKey};
use super::key_set::{KEY_SET_MAX_BYTES, KeySet};

/// A set from a URL is asked for again after this.
const URL_FRESH: Duration = Duration::from_mins(10);
/// A file is looked at again after this; it is read when it has changed.
const FILE_FRESH: Duration = Duration::from_secs(1);
/// Without its issuer a set is believed for so long, and no longer: a key may have been withdrawn.
const STALE_MAX: Duration = Duration::from_hours(1);
/// A URL is asked at most so often, whatever tokens name and whether or not it answers.
const URL_GAP: Duration = Duration::from_secs(10);
/// The whole answer has to be there by then.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A key set that is kept up to date.
pub(super) struct Jwks(Arc<Inner>);

struct Inner {
    place: Place,
    algorithms: BTreeSet<Algorithm>,
    held: RwLock<Option<Held>>,
    /// Held by whoever asks: one at a time.
    flight: Mutex<Flight>,
}

enum Place {
    Url { url: Url, client: Client },
    File(PathBuf),
}

#[derive(Clone)]
struct Held {
    set: Arc<KeySet>,
    confirmed: Instant,
}

#[derive(Default)]
struct Flight {
    asked: Option<Instant>,
    /// By what a file is known to be unchanged.
    stamp: Option<(SystemTime, u64)>,
}

/// Why an issuer's keys are not to be had. Not the fault of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeysUnavailable;

/// Why a URL cannot be that of a key set.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// Not a URL, or one that anybody on the way could answer.
    #[error("`{0}` is not an https URL (http is taken for this machine only)")]
    Url(String),
    /// The TLS set-up of this machine.
    #[error("no HTTPS client can be made")]
    Client(#[from] reqwest::Error),
}

impl Jwks {
    /// A set behind a URL: https, or http on this machine.
    ///
    /// # Errors
    /// [`KeySourceError`].
    pub(super) fn url(text: &str, algorithms: BTreeSet<Algorithm>) -> Result<Self, KeySourceError> {
        let refuse = || KeySourceError::Url(text.to_owned());
        let url = Url::parse(text).map_err(|_| refuse())?;
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
        if !safe || !url.username().is_empty() || url.password().is_some() {
            return Err(refuse());
        }
        // The address is pinned by the operator: neither the answer nor the environment changes it.
        let mut client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0);
        if url.scheme() == "http" {
            // Not used; a system without root certificates must not keep us from this machine.
            client = client.tls_certs_only([]);
        }
        let client = client.build()?;
        Ok(Self::new(Place::Url { url, client }, algorithms))
    }

    /// A set in a file.
    pub(super) fn file(path: PathBuf, algorithms: BTreeSet<Algorithm>) -> Self {
        Self::new(Place::File(path), algorithms)
    }

    fn new(place: Place, algorithms: BTreeSet<Algorithm>) -> Self {
        Self(Arc::new(Inner {
            place,
            algorithms,
            held: RwLock::new(None),
            flight: Mutex::default(),
        }))
    }

    /// The key of this name, as far as the issuer has one.
    ///
    /// # Errors
    /// [`KeysUnavailable`] when there is no set that may still be believed.
    pub(super) async fn find(
        &self,
        kid: &str,
        now: Instant,
    ) -> Result<Option<VerifyingKey>, KeysUnavailable> {
        let inner = &self.0;
        let (fresh, _) = inner.place.pace();
        let known = inner.current(now, fresh);
        if let Some(key) = known.and_then(|set| set.get(kid).cloned()) {
            return Ok(Some(key));
        }
        // Too old, or the name is new: perhaps the issuer has new keys. A task of its own, because a
        // caller who hangs up must not keep everybody from them.
        let renewing = Arc::clone(inner);
        let renewed = tokio::spawn(async move { renewing.renew(now).await });
        renewed.await.map_err(|_| KeysUnavailable)?;
        let set = inner.current(now, STALE_MAX).ok_or(KeysUnavailable)?;
        Ok(set.get(kid).cloned())
    }
}

impl Inner {
    /// The set, unless it was confirmed longer ago than `age`.
    fn current(&self, now: Instant, age: Duration) -> Option<Arc<KeySet>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref()
            .filter(|held| now.saturating_duration_since(held.confirmed) < age)
            .map(|held| Arc::clone(&held.set))
    }

    /// Asks the issuer unless that was done a moment ago; whoever comes meanwhile waits for the answer.
    async fn renew(&self, now: Instant) {
        let mut flight = self.flight.lock().await;
        let (_, gap) = self.place.pace();
        let asked = flight.asked;
        if asked.is_some_and(|asked| now.saturating_duration_since(asked) < gap) {
            return;
        }
        flight.asked = Some(now);
        match self.load(&mut flight.stamp).await {
            Ok(set) => {
                let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
                let unchanged = held.as_ref().map(|held| Arc::clone(&held.set));
                if let Some(set) = set.map(Arc::new).or(unchanged) {
                    *held = Some(Held {
                        set,
                        confirmed: now,
                    });
                }
            }
            Err(reason) => {
                flight.stamp = None;
                tracing::error!(keys = %self.place, reason, "the issuer's keys cannot be had from {}: {reason}", self.place);
            }
        }
    }

    /// The set as it is now; `None` when a file has not changed.
    async fn load(&self, stamp: &mut Option<(SystemTime, u64)>) -> Result<Option<KeySet>, String> {
        let bytes = match &self.place {
            Place::Url { url, client } => fetch(client, url.clone()).await?,
            Place::File(path) => {
                let text = |error: std::io::Error| error.to_string();
                let file = tokio::fs::File::open(path).await.map_err(text)?;
                let meta = file.metadata().await.map_err(text)?;
                let found = Some((meta.modified().map_err(text)?, meta.len()));
                if *stamp == found {
                    return Ok(None);
                }
                let mut bytes = Vec::new();
                let most = KEY_SET_MAX_BYTES as u64 + 1;
                file.take(most)
                    .read_to_end(&mut bytes)
                    .await
                    .map_err(text)?;
                *stamp = found;
                bytes
            }
        };
        KeySet::read(&bytes, &self.algorithms)
            .map(Some)
            .map_err(str::to_owned)
    }
}

impl Place {
    /// For how long a set is fresh, and how often it is asked for at most.
    const fn pace(&self) -> (Duration, Duration) {
        match self {
            Self::Url { .. } => (URL_FRESH, URL_GAP),
            Self::File(_) => (FILE_FRESH, FILE_FRESH),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, .. } => write!(f, "{url}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwks({})", self.0.place)
    }
}

/// The bytes behind the URL: nothing but a plain 200 counts.
async fn fetch(client: &Client, url: Url) -> Result<Vec<u8>, String> {
    // The URL is in the log line already.
    let text = |error: reqwest::Error| format!("{:#}", Causes(&error.without_url()));
    let mut response = client
        .get(url)
        .header("accept", "application/jwk-set+json, application/json")
        .send()
        .await
        .map_err(text)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("the answer is {}", response.status().as_u16()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(text)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > KEY_SET_MAX_BYTES {
            break;
        }
    }
    Ok(bytes)
}

/// An error with its causes, on one line.
struct Causes<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0
            .source()
            .map_or(Ok(()), |cause| write!(f, ": {}", Causes(cause)))
    }
}

#[cfg(test)]
mod tests;
