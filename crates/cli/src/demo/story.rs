//! The story a person reads: what was done, in figures, and how long it took.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Lines that stay, and one that tells what is being done right now (on a terminal only).
pub(super) struct Story {
    to_stderr: bool,
    started: Instant,
    now: ProgressBar,
}

impl Story {
    /// Begins. With `to_stderr`, standard output is left to a program.
    pub(super) fn begin(to_stderr: bool) -> Self {
        let style =
            ProgressStyle::with_template("  {spinner} {msg}").expect("the template is well formed");
        let now =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        now.enable_steady_tick(Duration::from_millis(100));
        let story = Self {
            to_stderr,
            started: Instant::now(),
            now,
        };
        story.say("JobEngine: from a changed advisory to a signed statement of what it hits\n");
        story
    }

    /// What is being done.
    pub(super) fn doing(&self, what: &str) {
        self.now.set_message(what.to_owned());
    }

    /// A step is done.
    pub(super) fn done(&self, step: &str, what: &str) {
        self.say(&format!("  {step:<11} {what}"));
    }

    /// A step is done that began then; tells the milliseconds it took.
    pub(super) fn timed(&self, step: &str, began: Instant, what: &str) -> u64 {
        let took = began.elapsed();
        self.done(step, &format!("{what}  [{} s]", seconds(took)));
        millis(took)
    }

    /// Milliseconds since the beginning.
    pub(super) fn total_ms(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// All is done and cleaned up.
    pub(super) fn end(&self) {
        self.now.finish_and_clear();
        let took = self.started.elapsed();
        self.say(&format!(
            "\nDone in {} s; everything was stopped and removed.",
            seconds(took)
        ));
    }

    fn say(&self, line: &str) {
        self.now.suspend(|| {
            if self.to_stderr {
                eprintln!("{line}");
            } else {
                println!("{line}");
            }
        });
    }
}

/// With one digit behind the point.
fn seconds(time: Duration) -> String {
    format!("{}.{}", time.as_secs(), time.subsec_millis() / 100)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
