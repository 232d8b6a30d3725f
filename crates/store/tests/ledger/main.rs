//! The ledger against a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod audit;
mod dag;
mod events;
mod gauge;
mod history;
mod house;
mod kinds;
mod lease;
mod plans;
mod races;
mod refusals;
mod retention;
mod row_level_security;
mod search;
mod statements;
mod streams;
mod upgrade;
