//! Whether PostgreSQL answers: judged once for the whole process, so that nobody waits for what cannot come.
//!
//! Whatever it says to anybody counts. When it has said nothing for [`ASK_AFTER`], a connection that serves
//! nothing else asks it. When nothing came for [`SILENCE_MAX`], it is away: every wait for it ends at once, and
//! until it answers again nothing is asked of it. That bounds how long a request can take to be refused,
//! whatever it waits for: a place in a pool, a connection, a statement, or several of them in turn. A connection
//! that breaks or is refused is an answer of its own and needs none of this.

mod line;
mod watched;

use std::error::Error;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::Config;

use crate::error::StoreError;
use line::Line;
pub(crate) use watched::Watched;

/// Without a word for so long PostgreSQL is away. With [`GRACE`] it is the bound on every refusal: the promise
/// is two seconds, and the rest of them is for a machine that does other things too.
const SILENCE_MAX: Duration = Duration::from_millis(1_250);
/// A process that was itself not run for a while first takes what came meanwhile, and then judges.
const GRACE: Duration = Duration::from_millis(100);
/// PostgreSQL is asked when it has said nothing to anybody for so long.
const ASK_AFTER: Duration = Duration::from_millis(250);
/// After a refusal it is asked again this soon: so late at most its return is seen.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// What the process knows of PostgreSQL's presence. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    word: Arc<Word>,
    _watch: Arc<Watch>,
}

/// The last word of PostgreSQL.
#[derive(Debug)]
struct Word {
    began: Instant,
    /// When it came, in milliseconds since `began`.
    heard_ms: AtomicU64,
    /// What was refused since it went away.
    refused: AtomicU64,
    away: watch::Sender<bool>,
    /// One that is always there: the last one to go would wake the sender.
    seen: watch::Receiver<bool>,
}

/// Ends with the last store that it is for.
#[derive(Debug)]
struct Watch(AbortHandle);

/// Why a wait ended.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL does not answer")]
struct Away;

impl Reach {
    /// Watches over a server from now on. When it goes away the idle connections of `pools` are closed: those
    /// that a dead network path has cut off would be found out one by one.
    pub(crate) fn watch(config: &Config, pools: Vec<Pool>) -> Result<Self, StoreError> {
        let line = Line::new(config)?;
        let word = Arc::new(Word::new());
        let task = tokio::spawn(watch(Arc::clone(&word), line, pools));
        Ok(Self {
            word,
            _watch: Arc::new(Watch(task.abort_handle())),
        })
    }

    /// Awaits an answer of PostgreSQL, for as long as it is there.
    ///
    /// # Errors
    /// Those of the answer; [`StoreError::Unavailable`] once PostgreSQL is away.
    pub(crate) async fn answer<T, E>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        self.word.answer(pin!(answer)).await
    }

    /// Awaits something else than an answer, such as a place in a pool, for as long as PostgreSQL is there.
    ///
    /// # Errors
    /// As [`Reach::answer`].
    pub(crate) async fn wait<T, E>(
        &self,
        something: impl Future<Output = Result<T, E>>,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        self.word.wait(pin!(something)).await
    }
}

impl Word {
    fn new() -> Self {
        let (away, seen) = watch::channel(false);
        Self {
            began: Instant::now(),
            heard_ms: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            away,
            seen,
        }
    }

    async fn answer<T, E>(
        &self,
        answer: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        let answer = self.wait(answer).await;
        if answer.is_ok() {
            self.heard();
        }
        answer
    }

    async fn wait<T, E>(
        &self,
        something: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        if !self.is_away() {
            let mut away = self.seen.clone();
            tokio::select! {
                biased;
                come = something => return Ok(come?),
                _ = away.wait_for(|away| *away) => {}
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(StoreError::Unavailable(Box::new(Away)))
    }

    fn heard(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_ms.fetch_max(now, Ordering::Relaxed);
    }

    fn is_away(&self) -> bool {
        *self.away.borrow()
    }

    /// How long it has said nothing.
    fn silent(&self) -> Duration {
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(heard)
    }

    /// Decides, and says so when that is news; whether it is away.
    fn judge(&self, because: Option<&str>) -> bool {
        let (silent, away) = (self.silent(), self.is_away());
        let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
        if !away && silent >= SILENCE_MAX {
            self.refused.store(0, Ordering::Relaxed);
            let because = because.unwrap_or("it says nothing");
            tracing::warn!(
                silent_ms,
                because,
                "PostgreSQL is away; what needs it is refused until it answers"
            );
            self.away.send_replace(true);
        } else if away && silent < SILENCE_MAX {
            let refused = self.refused.swap(0, Ordering::Relaxed);
            tracing::warn!(
                refused,
                "PostgreSQL answers again; {refused} questions to it were refused meanwhile"
            );
            self.away.send_replace(false);
        }
        self.is_away()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(word: Arc<Word>, mut line: Line, pools: Vec<Pool>) {
    loop {
        let (silent, away) = (word.silent(), word.is_away());
        if !away && silent < ASK_AFTER {
            sleep(ASK_AFTER.saturating_sub(silent)).await;
            continue;
        }
        let patience = if away { Duration::ZERO } else { silent };
        let patience = SILENCE_MAX.saturating_sub(patience);
        let mut because = None;
        match timeout(patience, line.ask()).await {
            Ok(Ok(())) => word.heard(),
            Ok(Err(error)) => {
                because = Some(
                    error
                        .source()
                        .map_or_else(|| error.to_string(), <_>::to_string),
                );
                sleep(ASK_AGAIN).await;
            }
            Err(_) => {
                line.close();
                sleep(GRACE).await;
            }
        }
        if word.judge(because.as_deref()) && !away {
            for pool in &pools {
                pool.retain(|_, _| false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(word: &Word) -> Result<(), StoreError> {
        word.answer(pin!(std::future::pending::<Result<(), StoreError>>()))
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn every_wait_ends_when_nothing_was_heard_for_too_long() {
        let word = Arc::new(Word::new());
        let waiting = tokio::spawn({
            let word = Arc::clone(&word);
            async move { asked(&word).await }
        });
        sleep(SILENCE_MAX.saturating_sub(Duration::from_millis(1))).await;
        assert!(!word.judge(None), "not yet");
        assert!(!waiting.is_finished());
        word.answer(pin!(async { Ok::<_, StoreError>(()) }))
            .await
            .unwrap();
        sleep(SILENCE_MAX.saturating_sub(Duration::from_millis(1))).await;
        assert!(!word.judge(None), "somebody heard of it");
        sleep(Duration::from_millis(1)).await;
        assert!(word.judge(None));
        let refused = waiting.await.unwrap().unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)));
        // Nothing is asked of it until it is back.
        assert!(asked(&word).await.is_err());
        word.heard();
        assert!(!word.judge(None));
        assert!(
            word.answer(pin!(async { Ok::<_, StoreError>(7) }))
                .await
                .is_ok()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_refuses_and_one_that_is_silent_are_away_in_time() {
        for host in ["/nowhere", "silent"] {
            let dir = tempfile::tempdir().unwrap();
            // A listener that never accepts: the connection stands, and nobody speaks.
            let _silent = std::os::unix::net::UnixListener::bind(dir.path().join(".s.PGSQL.5432"));
            let mut config = Config::new();
            config.user("nobody").port(5432);
            match host {
                "silent" => config.host_path(dir.path()),
                nowhere => config.host_path(nowhere),
            };
            let reach = Reach::watch(&config, Vec::new()).unwrap();
            let began = Instant::now();
            let asked = asked(&reach.word).await;
            assert!(matches!(asked, Err(StoreError::Unavailable(_))));
            let took = began.elapsed();
            assert!(took <= SILENCE_MAX + GRACE + ASK_AGAIN, "{host}: {took:?}");
        }
    }
}
