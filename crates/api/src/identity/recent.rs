//! What the ledger says about a credential, kept for a few seconds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as Turn;

/// Kept for so long. With the longest wait for a connection it makes five seconds: the bound within
/// which a revocation counts in every process.
const AGE_MAX: Duration = Duration::from_secs(3);
/// Keys at once.
const PLACES_MAX: usize = 10_000;

/// A key's value, for whoever's turn it is.
type Place<V> = Arc<Turn<Option<Held<V>>>>;

/// Values by key, each loaded by one request at a time while the others wait for it.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    places: Mutex<HashMap<K, Place<V>>>,
}

#[derive(Debug)]
struct Held<V> {
    value: V,
    loaded: Instant,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub(super) fn new() -> Self {
        Self {
            places: Mutex::default(),
        }
    }

    /// The value of a key as it was a few seconds ago at most, else what `load` brings.
    ///
    /// # Errors
    /// Those of `load`; then nothing is kept.
    pub(super) async fn get<E>(
        &self,
        key: K,
        now: Instant,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let place = self.place(key);
        let mut held = place.lock().await;
        if let Some(held) = &*held
            && now.saturating_duration_since(held.loaded) < AGE_MAX
        {
            return Ok(held.value.clone());
        }
        let value = load.await?;
        *held = Some(Held {
            value: value.clone(),
            loaded: now,
        });
        Ok(value)
    }

    /// Forgets a key, so that this process sees at once what it has just changed.
    pub(super) fn forget(&self, key: &K) {
        self.all().remove(key);
    }

    fn place(&self, key: K) -> Place<V> {
        let mut all = self.all();
        if all.len() >= PLACES_MAX && !all.contains_key(&key) {
            // Cheaper than keeping an order: each is loaded once more.
            all.clear();
        }
        Arc::clone(all.entry(key).or_default())
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<K, Place<V>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[tokio::test]
    async fn a_value_is_loaded_again_when_it_is_old_or_forgotten() {
        let recent = Recent::new();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let get = async |now, fresh: u32| {
            recent
                .get("k", now, async { Ok::<_, Infallible>(fresh) })
                .await
        };
        assert_eq!(get(at(0), 1).await, Ok(1));
        assert_eq!(get(at(2_999), 2).await, Ok(1));
        assert_eq!(get(at(3_000), 3).await, Ok(3));
        // A request that came earlier and waited meanwhile takes what is newer than itself.
        assert_eq!(get(at(0), 4).await, Ok(3));
        recent.forget(&"k");
        assert_eq!(get(at(3_001), 5).await, Ok(5));
        let failed = recent.get("k", at(9_000), async { Err("away") }).await;
        assert_eq!(failed, Err("away"));
        assert_eq!(get(at(9_000), 6).await, Ok(6));
    }
}
