//! Who is believed: tokens, key sets, proofs of possession, API keys, and how all of it is taken back.

mod api_key;
mod door;
mod dpop;
mod jwks;
mod revocation;
mod signer;
mod throttle;
mod token;
