//! `GET /keys`: the keys under which the installation signs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::route::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(key_list))
}

/// The keys of an installation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Keys {
    /// Current and former ones.
    keys: Vec<SigningKey>,
}

/// A public key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SigningKey {
    /// What the signatures of envelopes name it by.
    key_id: String,
    /// What it signs, and nothing else: `completion` events, or checkpoints of the `audit` trail.
    #[schema(example = "audit")]
    purpose: &'static str,
    /// `ed25519`.
    algorithm: &'static str,
    /// The key as `SubjectPublicKeyInfo`, in PEM.
    pem: String,
}

/// List the signing keys
///
/// Any DSSE tool verifies completion events and checkpoints of the audit trail with them. Get them once by a way you trust, not together with
/// what they are to verify.
#[utoipa::path(
    get, path = "/keys", operation_id = "key_list", tag = "scheduler",
    extensions(("x-scope" = json!("scheduler.runs.read"))),
    responses((status = 200, description = "The keys", body = Keys))
)]
async fn key_list(State(state): State<AppState>) -> Json<Keys> {
    let keys = state.scheduler().keys.iter();
    Json(Keys {
        keys: keys
            .map(|key| SigningKey {
                key_id: key.key.key_id(),
                purpose: key.purpose.as_str(),
                algorithm: "ed25519",
                pem: key.key.to_pem(),
            })
            .collect(),
    })
}
