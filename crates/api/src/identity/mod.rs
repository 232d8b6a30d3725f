//! Who asks: bearer tokens, verified, and the caller they make.

mod authenticator;
mod caller;
mod claims;
mod issuer;

pub use authenticator::Authenticator;
pub use caller::Caller;
pub use issuer::{DevIssuer, MintError, TokenRequest};
