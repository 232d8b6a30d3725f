//! HTTP: it translates, and folds what many clients ask at once into few transactions.
//!
//! Every operation is a file of its own: route, text, request, response, handler. The route table
//! (`route.rs`) takes no operation without a scope. What is shared stands here: problems,
//! the caller, strict JSON, pages.

mod act;
mod administration;
mod body;
mod check;
mod claim;
mod class;
mod clock;
mod coalesce;
mod edge;
mod flush;
mod health;
mod heavy;
mod identity;
mod json;
mod lease_token;
mod line;
mod metrics;
mod page;
mod params;
mod problem;
mod reference;
mod route;
mod scheduler;
mod server;
mod signing;
mod state;
mod stream;
mod suspended;
mod v1;

pub use edge::RequestIds;
pub use identity::{
    Algorithm, Authenticator, Caller, DevIssuer, KeySource, KeySourceError, MintError, PublicUrl,
    PublicUrlError, TokenRequest, TrustedIssuer, UnknownAlgorithm,
};
pub use problem::{Code, FieldError, Problem, ProblemBody};
pub use server::{Server, ServerConfig, administration_document, contract_text, document};
pub use signing::{KeyPurpose, PublishedKey};
