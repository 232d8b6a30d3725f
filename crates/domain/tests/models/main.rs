//! Models of what several processes can do to each other, explored state by state.
//!
//! A model asks the same functions that the service asks; what it adds is what the service cannot
//! test for itself: every order of steps, every crash. Each model has twins, in which one rule is
//! left out, and which must fail: a model that cannot fail proves nothing.

mod check;
mod idempotency;
mod place;
mod seal;
mod stream;
