//! Steps of a longer command: each is timed, none hides another's failure.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What has been done so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    passed: bool,
}

impl Steps {
    /// Runs one step and says how it went. Later steps may still run after a failure.
    pub(crate) fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        eprintln!("\n== {name}");
        let started = Instant::now();
        let result = work();
        let step = Step {
            name,
            took: started.elapsed(),
            passed: result.is_ok(),
        };
        if let Err(error) = result {
            eprintln!("error: {error:#}");
        }
        let passed = step.passed;
        self.done.push(step);
        passed
    }

    /// Prints the durations.
    ///
    /// # Errors
    /// A step has failed; all that did are named.
    pub(crate) fn finish(self) -> Result<()> {
        eprintln!();
        for step in &self.done {
            let verdict = if step.passed { "ok" } else { "FAILED" };
            eprintln!(
                "{verdict:>6}  {:>7.1} s  {}",
                step.took.as_secs_f64(),
                step.name
            );
        }
        let failed: Vec<_> = self
            .done
            .iter()
            .filter(|step| !step.passed)
            .map(|step| step.name)
            .collect();
        if !failed.is_empty() {
            bail!("failed: {}", failed.join(", "));
        }
        Ok(())
    }
}
