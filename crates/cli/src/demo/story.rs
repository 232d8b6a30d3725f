//! The story a person reads: what was done, in figures, and how long it took.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// Widths of a line's parts: with two blanks before them, 80 together.
const STEP: usize = 12;
const TEXT: usize = 58;
const TIME: usize = 8;

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
        self.say(&lines(step, what, ""));
    }

    /// A step is done that took so long.
    pub(super) fn took(&self, step: &str, time: Duration, what: &str) {
        self.say(&lines(step, what, &format!("{} s", seconds(time))));
    }

    /// A step is done that began then; tells the milliseconds it took.
    pub(super) fn timed(&self, step: &str, began: Instant, what: &str) -> u64 {
        let took = began.elapsed();
        self.took(step, took, what);
        millis(took)
    }

    /// Milliseconds since the beginning.
    pub(super) fn total_ms(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// Takes away the line that tells what is being done.
    pub(super) fn clear(&self) {
        self.now.finish_and_clear();
    }

    /// All is done and cleaned up.
    pub(super) fn end(&self) {
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
                // A reader that is gone must not keep the demo from cleaning up.
                let _ = output::line(line);
            }
        });
    }
}

/// The name of a step, what came of it in its lines, and its time at the right of the first.
fn lines(step: &str, what: &str, time: &str) -> String {
    let mut told = String::new();
    for (index, line) in what.lines().enumerate() {
        let whole = if index == 0 {
            format!("  {step:<STEP$}{line:<TEXT$}{time:>TIME$}")
        } else {
            format!("\n  {:<STEP$}{line}", "")
        };
        told.push_str(whole.trim_end());
    }
    told
}

/// With one digit behind the point.
fn seconds(time: Duration) -> String {
    format!("{}.{}", time.as_secs(), time.subsec_millis() / 100)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_with_two_lines_has_its_time_in_the_first() {
        let what = "5 segments in 6 attempts: 213 new findings, 5 fixed;\n5 critical, 34 high";
        let told = lines("second run", what, "7.1 s");
        let expected = [
            "  second run  5 segments in 6 attempts: 213 new findings, 5 fixed;         7.1 s",
            "              5 critical, 34 high",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), expected);
        assert_eq!(lines("crash", "worker-1", ""), "  crash       worker-1");
    }
}
