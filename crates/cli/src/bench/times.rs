//! Times of calls, as the client saw them.

use std::time::Instant;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::output;

/// Times of calls, in microseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Times {
    pub(super) calls: u64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    pub(super) max_us: u64,
}

impl Times {
    pub(super) fn of(times: &Histogram<u64>) -> Self {
        Self {
            calls: times.len(),
            p50_us: times.value_at_quantile(0.5),
            p99_us: times.value_at_quantile(0.99),
            max_us: times.max(),
        }
    }
}

pub(super) fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

pub(super) fn micros(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// One line for each sort of call.
pub(super) fn table(lines: &[(&str, &Times)]) -> String {
    let mut table = output::table();
    table.set_header(["", "calls", "p50 ms", "p99 ms", "max ms"]);
    for (name, times) in lines {
        let ms = |us: u64| format!("{}.{:02}", us / 1_000, us % 1_000 / 10);
        table.add_row([
            (*name).to_owned(),
            times.calls.to_string(),
            ms(times.p50_us),
            ms(times.p99_us),
            ms(times.max_us),
        ]);
    }
    output::draw(table)
}
