//! From a changed advisory to a signed event, on a real PostgreSQL: duties, store and pure rules
//! together, without HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod debt;
mod debt_model;
mod evaluated;
mod flow;
mod metrics;
mod sent;
mod trace;
mod vex;
