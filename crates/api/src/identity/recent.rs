//! What the ledger says about a credential, kept for a few seconds.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as Turn;

use crate::problem::Problem;

/// Kept for so long. With the longest wait for a connection (3 s) it makes five seconds: the bound within
/// which a revocation counts in every process.
const AGE_MAX: Duration = Duration::from_secs(2);
/// Keys at once.
const PLACES_MAX: usize = 10_000;

/// A key's value, for whoever's turn it is.
type Place<V> = Arc<Turn<Held<V>>>;

/// Values by key, each loaded by one request at a time while the others wait for it, and fail with it:
/// in turn they would wait ever longer for what is not to be had.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    places: Mutex<HashMap<K, Place<V>>>,
}

#[derive(Debug)]
struct Held<V> {
    value: Option<(V, Instant)>,
    /// The last failure, and when it was told.
    failed: Option<(Problem, Instant)>,
}

impl<V> Default for Held<V> {
    fn default() -> Self {
        Self {
            value: None,
            failed: None,
        }
    }
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
    /// Those of `load`, or of the load that it waited for; then nothing is kept.
    pub(super) async fn get<E>(
        &self,
        key: K,
        now: Instant,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, Problem>
    where
        Problem: From<E>,
    {
        let place = self.place(key);
        let came = Instant::now();
        let mut held = place.lock().await;
        if let Some((value, loaded)) = &held.value
            && now.saturating_duration_since(*loaded) < AGE_MAX
        {
            return Ok(value.clone());
        }
        if let Some((problem, at)) = &held.failed
            && *at >= came
        {
            return Err(problem.clone());
        }
        match load.await {
            Ok(value) => {
                *held = Held {
                    value: Some((value.clone(), now)),
                    failed: None,
                };
                Ok(value)
            }
            Err(error) => {
                let problem = Problem::from(error);
                held.failed = Some((problem.clone(), Instant::now()));
                Err(problem)
            }
        }
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
    use crate::problem::Code;
    use std::sync::atomic::{AtomicU32, Ordering};

    async fn get(
        recent: &Recent<&'static str, u32>,
        now: Instant,
        found: Result<u32, Code>,
    ) -> Result<u32, Code> {
        let load = async { found.map_err(|code| Problem::new(code, "planned")) };
        let got = recent.get("k", now, load).await;
        got.map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_value_is_loaded_again_when_it_is_old_or_forgotten() {
        let recent = Recent::new();
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(get(&recent, at(0), Ok(1)).await, Ok(1));
        assert_eq!(get(&recent, at(1_999), Ok(2)).await, Ok(1));
        assert_eq!(get(&recent, at(2_000), Ok(3)).await, Ok(3));
        // A request that came earlier and waited meanwhile takes what is newer than itself.
        assert_eq!(get(&recent, at(0), Ok(4)).await, Ok(3));
        recent.forget(&"k");
        assert_eq!(get(&recent, at(2_001), Ok(5)).await, Ok(5));
        let away = Code::DatabaseUnavailable;
        assert_eq!(get(&recent, at(9_000), Err(away)).await, Err(away));
        assert_eq!(get(&recent, at(9_000), Ok(6)).await, Ok(6));
    }

    /// Twenty that come together wait for one failure, not for twenty in turn.
    #[tokio::test]
    async fn those_who_wait_fail_together() {
        let recent = Recent::new();
        let loads = AtomicU32::new(0);
        let began = Instant::now();
        let ask = async || {
            let load = async {
                loads.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err::<u32, _>(Problem::new(Code::DatabaseUnavailable, "planned"))
            };
            assert!(recent.get("k", began, load).await.is_err());
        };
        futures_util::future::join_all((0..20).map(|_| ask())).await;
        assert_eq!(loads.into_inner(), 1);
    }
}
