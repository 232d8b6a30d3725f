//! The ledger against a real PostgreSQL.

mod dag;
mod house;
mod lease;
mod row_level_security;
mod statements;
