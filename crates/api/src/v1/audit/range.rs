//! A part of the chain: from one checkpoint to another.

use jobengine_domain::audit::export::Header;
use jobengine_domain::dsse::Envelope;
use jobengine_store::Tx;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::{Code, Problem};

/// Which part of the chain: whole batches, because only their ends are signed
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RangeQuery {
    /// Begin after the checkpoint of this size; with the first row unless said otherwise.
    #[param(maximum = 9_007_199_254_740_991_i64)]
    after: Option<u64>,
    /// End with the checkpoint of this size; the newest unless said otherwise. The same `after` and `until` give the same
    /// bytes for ever.
    #[param(maximum = 9_007_199_254_740_991_i64)]
    until: Option<u64>,
}

/// A part of the chain that exists.
#[derive(Debug)]
pub(super) struct Range {
    /// What the export says of it.
    pub(super) header: Header,
    /// The checkpoint before its first row.
    pub(super) anchor: Option<Envelope>,
}

impl RangeQuery {
    /// Finds the part.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` when no checkpoint has the size.
    pub(super) async fn find(self, tx: &Tx) -> Result<Range, Problem> {
        let newest = tx.audit_end().await?.head.size;
        let after = self.after.unwrap_or(0);
        let until = self.until.unwrap_or(newest).max(after);
        let anchor = self.checkpoint(tx, after, "after").await?;
        self.checkpoint(tx, until, "until").await?;
        Ok(Range {
            header: Header {
                origin: tx.audit_origin().await?,
                tenant: tx.tenant(),
                first: after + 1,
                last: until,
            },
            anchor,
        })
    }

    async fn checkpoint(self, tx: &Tx, size: u64, name: &str) -> Result<Option<Envelope>, Problem> {
        if size == 0 {
            return Ok(None);
        }
        // What no bigint holds is no size of ours.
        let found = match i64::try_from(size) {
            Ok(_) => tx.audit_checkpoint_at(size).await?,
            Err(_) => None,
        };
        found
            .filter(|checkpoint| checkpoint.size == size)
            .map(|checkpoint| Some(checkpoint.envelope))
            .ok_or_else(|| {
                let detail = format!("{name} is the size of a checkpoint; none has {size}");
                Problem::new(Code::ParameterInvalid, detail)
            })
    }
}
