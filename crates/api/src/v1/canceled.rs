//! The answer of a cancel.

use serde::Serialize;
use utoipa::ToSchema;

/// What was called off
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Canceled {
    /// How many jobs; those that had ended stay as they are.
    pub canceled: usize,
}
