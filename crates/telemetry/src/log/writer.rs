//! Writing lines without waiting: a bounded queue, a thread behind it.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use jobengine_domain::metric::process;

use crate::{Counter, Registry};

/// Lines that wait to be written; further ones are dropped.
const QUEUE_MAX: usize = 8_192;
/// At the end of the process, lines have so long to be written.
const END_MAX: Duration = Duration::from_secs(2);

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    sender: LineSender,
    done: Receiver<()>,
    _thread: JoinHandle<()>,
}

/// Hands over lines. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct LineSender {
    lines: SyncSender<Option<String>>,
    dropped: Arc<Dropped>,
}

#[derive(Debug, Default)]
struct Dropped {
    before: AtomicU64,
    counter: OnceLock<Counter<0>>,
}

impl Writer {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(mut out: impl Write + Send + 'static) -> Self {
        let (lines, queue) = sync_channel::<Option<String>>(QUEUE_MAX);
        let (ended, done) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            while let Ok(Some(line)) = queue.recv() {
                // A log that cannot be written must not stop the work; there is nobody to tell.
                let _ = out.write_all(line.as_bytes());
            }
            let _ = out.flush();
            let _ = ended.send(());
        });
        let dropped = Arc::default();
        Self {
            sender: LineSender { lines, dropped },
            done,
            _thread: thread,
        }
    }

    pub(super) fn sender(&self) -> LineSender {
        self.sender.clone()
    }

    pub(super) fn observe(&self, registry: &Registry) {
        let counter = registry.counter(&process::LOG_LINES_DROPPED);
        counter.add([], self.sender.dropped.before.swap(0, Ordering::Relaxed));
        // A second registry would count the same lines again: the first one has them.
        let _ = self.sender.dropped.counter.set(counter);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.sender.lines.try_send(None).is_ok() {
            let _: Result<(), RecvTimeoutError> = self.done.recv_timeout(END_MAX);
        }
    }
}

impl LineSender {
    pub(super) fn send(&self, line: String) {
        match self.lines.try_send(Some(line)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => match self.dropped.counter.get() {
                Some(counter) => counter.inc([]),
                None => {
                    self.dropped.before.fetch_add(1, Ordering::Relaxed);
                }
            },
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// Where a test's lines go.
    #[derive(Debug, Clone, Default)]
    pub(in super::super) struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        pub(in super::super) fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8(bytes.clone()).expect("lines are UTF-8")
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A pipe that nobody reads.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn who_logs_does_not_wait_for_a_pipe_that_nobody_reads() {
        let (release, stuck) = sync_channel(0);
        let writer = Writer::start(Stuck(stuck));
        let registry = Registry::new();
        for line in 0..QUEUE_MAX + 100 {
            if line == QUEUE_MAX + 50 {
                writer.observe(&registry);
            }
            writer.sender().send("line\n".to_owned());
        }
        let text = registry.render();
        let dropped = text
            .lines()
            .find_map(|line| line.strip_prefix("jobengine_log_lines_dropped_total "));
        let dropped: u64 = dropped
            .and_then(|count| count.parse().ok())
            .expect("a count");
        assert!((98..=100).contains(&dropped), "{dropped}");
        drop(release);
    }
}
