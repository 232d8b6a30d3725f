//! Who asks: access tokens of trusted issuers, proofs of possession, service API keys, and the
//! caller they make.

mod api_key;
mod authenticator;
mod caller;
mod claims;
mod dpop;
mod existence;
mod gate;
mod issuer;
mod jwks;
mod jws;
mod key;
mod key_set;
mod recent;
mod revocations;
mod throttle;

pub use authenticator::{Authenticator, KeySource, TrustedIssuer};
pub use caller::Caller;
pub(crate) use caller::CredentialKind;
pub(crate) use claims::{SERVICE, TOKEN_LIFE_MS};
pub use dpop::{PublicUrl, PublicUrlError};
pub(crate) use gate::{Identity, Presented};
pub use issuer::{DevIssuer, MintError, TokenRequest};
pub use jwks::KeySourceError;
pub use key::{Algorithm, UnknownAlgorithm};
