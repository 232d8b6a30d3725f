//! How far the work is, for whoever waits longer than a second at a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whatever is done by then needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar on standard error; nothing where that is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// Hidden until the work has taken longer than a second.
    pub(crate) fn start() -> Self {
        let style = ProgressStyle::with_template("{msg:>20} [{bar:30}] {pos}/{len}")
            .expect("the template is well formed");
        let bar = ProgressBar::hidden().with_style(style.progress_chars("=> "));
        Self {
            bar,
            started: Instant::now(),
            shown: false,
        }
    }

    /// Begins a part of the work that has so many steps.
    pub(crate) fn phase(&mut self, name: &'static str, steps: usize) {
        self.bar.set_message(name);
        self.bar.set_length(steps as u64);
        self.bar.set_position(0);
        self.show_when_late();
    }

    /// One step is done.
    pub(crate) fn step(&mut self) {
        self.steps(1);
    }

    /// So many steps are done.
    pub(crate) fn steps(&mut self, count: usize) {
        self.bar.inc(count as u64);
        self.show_when_late();
    }

    /// For tasks that do steps at the same time.
    pub(crate) fn counter(&self) -> Counter {
        Counter(self.bar.clone())
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows it without waiting, for work that is known to take long.
    pub(crate) fn show(&mut self) {
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.shown = true;
    }

    fn show_when_late(&mut self) {
        if !self.shown && self.started.elapsed() >= PATIENCE {
            self.show();
        }
    }
}

/// Counts steps from other tasks.
#[derive(Debug, Clone)]
pub(crate) struct Counter(ProgressBar);

impl Counter {
    /// So many steps are done.
    pub(crate) fn add(&self, count: usize) {
        self.0.inc(count as u64);
    }
}
