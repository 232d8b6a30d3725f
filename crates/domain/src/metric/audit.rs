//! How the audit trail is sealed.

use super::{Age, Counter, rows};

rows! {
    UNSEALED_AGE: Age<0> = "jobengine_audit_unsealed_age_seconds" [],
        "How long the oldest audit row had waited for its seal when it was sealed in the last pass; 0 when none did";
    SEALED: Counter<0> = "jobengine_audit_rows_sealed_total" [],
        "Audit rows sealed by this process";
    REFUSED: Counter<0> = "jobengine_audit_batches_refused_total" [],
        "Batches of this process that were not appended because another leads or was faster";
}
