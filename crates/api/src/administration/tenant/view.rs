//! A tenant as it is shown, and what may be said of one.

use jobengine_domain::digest::Digest;
use jobengine_domain::time::Timestamp;
use jobengine_store::TenantRecord;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::check::Checks;
use crate::problem::Problem;

/// Longest name.
const NAME_MAX: usize = 200;
/// Largest share.
const WEIGHT_MAX: u32 = 1_000;

/// A tenant
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the contract"
)]
pub(super) struct Tenant {
    /// Its id.
    tenant_id: Uuid,
    /// What people call it; no two share it, in whatever case of letters.
    #[schema(example = "acme")]
    name: String,
    /// Its share among tenants when there is more work than workers, 1 to 1000.
    weight: u32,
    /// Whether it goes on.
    state: TenantState,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Whether a tenant goes on
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TenantState {
    /// It does.
    Active,
    /// Its tokens are refused, and none of its jobs is granted.
    Suspended,
}

impl Tenant {
    pub(super) fn of(record: TenantRecord) -> Self {
        Self {
            tenant_id: record.id.0,
            name: record.name,
            weight: record.weight,
            state: if record.suspended {
                TenantState::Suspended
            } else {
                TenantState::Active
            },
            created_at: record.created_at,
        }
    }

    /// What an audit row names the tenant by.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a tenant is plain JSON"))
    }
}

/// Refuses a name or a share out of bounds.
pub(super) fn check(name: Option<&str>, weight: Option<u32>) -> Result<(), Problem> {
    let mut checks = Checks::default();
    if let Some(name) = name {
        checks.text(|| "name".to_owned(), name, NAME_MAX);
    }
    checks.hold(
        weight.is_none_or(|weight| (1..=WEIGHT_MAX).contains(&weight)),
        || "weight".to_owned(),
        "RANGE",
        format!("1 to {WEIGHT_MAX} are taken"),
    );
    checks.end()
}
