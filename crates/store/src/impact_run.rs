//! Impact runs: planned in one transaction with their jobs, their inputs pinned by content.

use std::collections::BTreeSet;

use jobengine_domain::canon::canonical_digest;
use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use jobengine_domain::time::Timestamp;
use jobengine_impact::plan::Plan;
use jobengine_impact::summary::DeltaSummary;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::{StoreError, expect_one};
use crate::job::{NewJob, digest};
use crate::run::NewRun;
use crate::ticket::{signed, unsigned};
use crate::ts::Ts;

/// What a run is planned from, beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanFacts {
    /// Images that some segment evaluates.
    pub images_impacted: u64,
    /// Images in the fleet.
    pub images_total: u64,
    /// Flaws whose effect changed.
    pub advisories_changed: u64,
}

/// One pinned input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunInput {
    /// `image`, `advisory`, `kev` or `vex`.
    pub kind: String,
    /// The source's id; empty where there is none.
    pub source: String,
    /// Image digest, advisory id, `catalogue` or VEX document id.
    pub subject: String,
    /// Digest of the content: for an image that of its SBOM.
    pub digest: Digest,
    /// The packages an advisory speaks of.
    #[serde(skip)]
    pub packages: Vec<String>,
}

/// An impact run as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct ImpactRunRecord {
    /// Its id, also that of the run whose jobs evaluate it.
    pub id: RunId,
    /// Its number among the tenant's impact runs: findings are replaced in this order.
    pub generation: u64,
    /// `analysisOnly` or `contentRefresh`.
    pub mode: String,
    /// Its band.
    pub priority: String,
    /// Digest of its plan.
    pub plan: Digest,
    /// Digest of the canonical list of its inputs.
    pub inputs: Digest,
    /// The packages that segments without `scopeAll` evaluate.
    pub packages: Vec<String>,
    /// How many segments it has.
    pub segments: u32,
    /// Images that some segment evaluates.
    pub images_impacted: u64,
    /// Images in the fleet when it was planned.
    pub images_total: u64,
    /// Flaws whose effect changed.
    pub advisories_changed: u64,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When its findings took effect.
    pub completed_at: Option<Timestamp>,
    /// What it changed.
    pub delta: Option<DeltaSummary>,
    /// How its jobs ended, once it has completed: `succeeded`, `partial`, `failed` or `canceled`.
    pub result: Option<String>,
    /// Images that it left out, once it has completed; `None` also for a run that completed before this was counted.
    pub images_not_evaluated: Option<u64>,
    /// Images that it left out first or last, and that no later run has evaluated.
    pub images_owed: u64,
    /// Attempts of its segments that have ended.
    pub attempts: u64,
    /// Attempts that ended because no heartbeat came.
    pub leases_expired: u64,
}

impl Tx {
    /// Creates an impact run with a job per segment, and pins what it reads.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn impact_run_create(
        &self,
        run: &NewRun,
        plan: &Plan,
        facts: PlanFacts,
        jobs: &[NewJob],
    ) -> Result<RunId, StoreError> {
        let row = self
            .query_opt(include_str!("impact_run/generation.sql"), &[])
            .await?;
        let generation: i64 = row
            .ok_or(StoreError::Missing("the tenant"))?
            .get("generation");
        let (id, _) = self.run_create(run, jobs).await?;
        let inputs = self.inputs_pin(plan).await?;
        let inputs_digest = canonical_digest(&inputs).map_err(|_| StoreError::Corrupt {
            place: "run_input.digest",
        })?;
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let packages: Vec<String> = plan.packages.iter().map(ToString::to_string).collect();
        let made = self
            .execute(
                include_str!("impact_run/insert.sql"),
                &[
                    &self.tenant().0,
                    &id.0,
                    &generation,
                    &"analysisOnly",
                    &plan.priority.as_str(),
                    &plan.digest.as_bytes().as_slice(),
                    &inputs_digest.as_bytes().as_slice(),
                    &packages,
                    &signed(u32::try_from(plan.segments.len()).unwrap_or(u32::MAX)),
                    &count(facts.images_impacted),
                    &count(facts.images_total),
                    &count(facts.advisories_changed),
                    &Ts(self.now()),
                ],
            )
            .await?;
        expect_one(made, "the impact run")?;
        self.inputs_insert(id, &inputs).await?;
        self.segments_insert(id, &plan.segments).await?;
        Ok(id)
    }

    /// What a run was planned from, sorted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_inputs(&self, run: RunId) -> Result<Vec<RunInput>, StoreError> {
        let rows = self
            .query(include_str!("impact_run/inputs.sql"), &[&run.0])
            .await?;
        rows.iter().map(run_input).collect()
    }

    /// Reads a page of what a run was planned from, after the input of this kind, source and subject.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn run_inputs_page(
        &self,
        run: RunId,
        after: Option<(&str, &str, &str)>,
        limit: u32,
    ) -> Result<Vec<RunInput>, StoreError> {
        let (kind, source, subject) = after.unwrap_or_default();
        let rows = self
            .query(
                include_str!("impact_run/inputs_page.sql"),
                &[&run.0, &kind, &source, &subject, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(run_input).collect()
    }

    /// Reads one impact run.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn impact_run_find(&self, run: RunId) -> Result<Option<ImpactRunRecord>, StoreError> {
        let rows = self
            .query(
                include_str!("impact_run/list.sql"),
                &[&Some(run.0), &i64::MAX, &1_i64],
            )
            .await?;
        rows.first().map(impact_run).transpose()
    }

    /// Reads a page of impact runs before a generation, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn impact_run_list(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<ImpactRunRecord>, StoreError> {
        let before = before.map_or(i64::MAX, |generation| {
            i64::try_from(generation).unwrap_or(i64::MAX)
        });
        let rows = self
            .query(
                include_str!("impact_run/list.sql"),
                &[&None::<Uuid>, &before, &i64::from(limit)],
            )
            .await?;
        rows.iter().map(impact_run).collect()
    }

    /// The signed completion event of a run and its delta image by image, both JSON text; `None`
    /// while it has not completed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn impact_run_completion(
        &self,
        run: RunId,
    ) -> Result<Option<(String, String)>, StoreError> {
        let row = self
            .query_opt(include_str!("impact_run/envelope.sql"), &[&run.0])
            .await?;
        Ok(row.and_then(|row| Option::zip(row.get("envelope"), row.get("deltas"))))
    }

    async fn inputs_pin(&self, plan: &Plan) -> Result<Vec<RunInput>, StoreError> {
        let input = |kind: &str, source: String, subject: String, digest| RunInput {
            kind: kind.to_owned(),
            source,
            subject,
            digest,
            packages: Vec::new(),
        };
        let images: Vec<Vec<u8>> = plan
            .segments
            .iter()
            .flat_map(|part| &part.images)
            .map(|image| image.as_bytes().to_vec())
            .collect();
        let whole: BTreeSet<&[u8]> = plan
            .segments
            .iter()
            .filter(|part| part.scope_all)
            .flat_map(|part| &part.images)
            .map(|image| image.as_bytes().as_slice())
            .collect();
        let mut inputs = Vec::new();
        let mut whole_sboms: Vec<Vec<u8>> = Vec::new();
        for row in &self
            .query(include_str!("impact_run/pin_images.sql"), &[&images])
            .await?
        {
            let image = digest(row.get("digest"), "image.digest")?;
            let sbom = digest(row.get("sbom_digest"), "image.sbom_digest")?;
            if whole.contains(image.as_bytes().as_slice()) {
                whole_sboms.push(sbom.as_bytes().to_vec());
            }
            inputs.push(input("image", String::new(), image.to_string(), sbom));
        }
        let packages: Vec<String> = plan.packages.iter().map(ToString::to_string).collect();
        for row in &self
            .query(
                include_str!("impact_run/pin_advisories.sql"),
                &[&packages, &whole_sboms],
            )
            .await?
        {
            let digest = digest(row.get("digest"), "advisory.digest")?;
            let mut pinned = input(
                "advisory",
                row.get("source"),
                row.get("advisory_id"),
                digest,
            );
            pinned.packages = row
                .get::<_, Option<Vec<String>>>("packages")
                .unwrap_or_default();
            inputs.push(pinned);
        }
        inputs.extend(
            self.kev_digest()
                .await?
                .map(|digest| input("kev", String::new(), "catalogue".to_owned(), digest)),
        );
        for document in self.vex_list().await? {
            inputs.push(input(
                "vex",
                document.source.to_string(),
                document.location,
                document.digest,
            ));
        }
        inputs.sort_by(|a, b| {
            (&a.kind, &a.source, &a.subject).cmp(&(&b.kind, &b.source, &b.subject))
        });
        Ok(inputs)
    }

    async fn inputs_insert(&self, run: RunId, inputs: &[RunInput]) -> Result<(), StoreError> {
        let text = |of: fn(&RunInput) -> &str| inputs.iter().map(of).collect::<Vec<&str>>();
        self.execute(
            include_str!("impact_run/inputs_insert.sql"),
            &[
                &self.tenant().0,
                &run.0,
                &text(|input| &input.kind),
                &text(|input| &input.source),
                &text(|input| &input.subject),
                &inputs
                    .iter()
                    .map(|input| input.digest.as_bytes().as_slice())
                    .collect::<Vec<_>>(),
                &inputs
                    .iter()
                    .map(|input| input.packages.join("\n"))
                    .collect::<Vec<_>>(),
            ],
        )
        .await?;
        Ok(())
    }
}

fn run_input(row: &Row) -> Result<RunInput, StoreError> {
    Ok(RunInput {
        kind: row.get("kind"),
        source: row.get("source"),
        subject: row.get("subject"),
        digest: digest(row.get("digest"), "run_input.digest")?,
        packages: row.get("packages"),
    })
}

fn impact_run(row: &Row) -> Result<ImpactRunRecord, StoreError> {
    let count = |column| {
        u64::try_from(row.get::<_, i64>(column)).map_err(|_| StoreError::Corrupt {
            place: "impact_run.images_total",
        })
    };
    let delta: Option<&str> = row.get("delta");
    Ok(ImpactRunRecord {
        id: RunId(row.get("run_id")),
        generation: count("generation")?,
        mode: row.get("mode"),
        priority: row.get("priority"),
        plan: digest(row.get("plan_digest"), "impact_run.plan_digest")?,
        inputs: digest(row.get("inputs_digest"), "impact_run.inputs_digest")?,
        packages: row.get("packages"),
        segments: unsigned(row.get("segments"), "impact_run.segments")?,
        images_impacted: count("images_impacted")?,
        images_total: count("images_total")?,
        advisories_changed: count("advisories_changed")?,
        created_at: row.get::<_, Ts>("created_at").0,
        completed_at: row.get::<_, Option<Ts>>("completed_at").map(|Ts(at)| at),
        delta: delta
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| StoreError::Corrupt {
                place: "impact_run.delta",
            })?,
        result: row.get("result"),
        images_not_evaluated: row
            .get::<_, Option<i64>>("images_not_evaluated")
            .and_then(|images| u64::try_from(images).ok()),
        images_owed: count("images_owed")?,
        attempts: count("attempts")?,
        leases_expired: count("leases_expired")?,
    })
}
