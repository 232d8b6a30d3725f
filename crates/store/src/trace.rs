//! The spans of a job: its wait and its attempts, with the moments that the ledger knows.
//!
//! And that of a plan, between the changes that caused it and the jobs that carry it out.
//!
//! What they need beside the hot rows is looked up only while traces are recorded.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::id::{JobId, TenantId};
use jobengine_domain::time::Timestamp;
use jobengine_domain::trace::{Phase, TraceContext};
use jobengine_telemetry::trace::{Span, SpanKind};
use uuid::Uuid;

use crate::caller::Tx;
use crate::change::Change;
use crate::error::StoreError;
use crate::lease::Grant;
use crate::settle::Move;
use crate::ticket::unsigned;
use crate::ts::Ts;

/// Parents that a span is linked to (the limit that collectors keep to).
const LINKS_MAX: i64 = 128;
/// The same, of other causes.
const LINKS: usize = 128;

impl Tx {
    /// Notes the waits that ended with some grants, and hands the attempts' spans on with the grants:
    /// what a worker records is part of its attempt.
    pub(crate) async fn trace_granted(&self, grants: &mut [Grant]) -> Result<(), StoreError> {
        let traced = |grant: &Grant| grant.trace().is_some_and(|trace| trace.sampled);
        let jobs: Vec<Uuid> = grants
            .iter()
            .filter(|grant| traced(grant))
            .map(|grant| grant.job.0)
            .collect();
        if jobs.is_empty() || !self.traces().is_on() {
            return Ok(());
        }
        let rows = self
            .query(include_str!("trace/granted.sql"), &[&jobs, &LINKS_MAX])
            .await?;
        let mut before: BTreeMap<JobId, (Option<Timestamp>, Vec<TraceContext>)> = BTreeMap::new();
        for row in &rows {
            let (tried_at, links) = before.entry(JobId(row.get("job_id"))).or_default();
            *tried_at = row.get::<_, Option<Ts>>("tried_at").map(|Ts(at)| at);
            let parent: Option<Uuid> = row.get("parent_id");
            if let (Some(parent), Some(trace)) = (parent, context(row.get("parent_trace"))) {
                let attempt = unsigned(row.get("parent_attempt"), "outcome.attempt")?;
                links.push(trace.of_attempt(JobId(parent), attempt, Phase::Attempt));
            }
        }
        for grant in grants {
            let Some(trace) = grant.trace() else { continue };
            if let Some((tried_at, links)) = before.remove(&grant.job) {
                self.notes()
                    .span(waited(self, grant, trace, tried_at, links));
            }
            grant.traceparent = Some(attempt_of(trace, grant.job, grant.attempt).to_string());
        }
        Ok(())
    }

    /// Notes the attempts that end with some moves.
    pub(crate) async fn trace_ended(&self, moves: &[Move]) -> Result<(), StoreError> {
        let held = moves.iter().filter(|step| step.held.is_some());
        let jobs: Vec<Uuid> = held.map(|step| step.ticket.job.0).collect();
        if jobs.is_empty() || !self.traces().is_on() {
            return Ok(());
        }
        let rows = self
            .query(include_str!("trace/ended.sql"), &[&jobs])
            .await?;
        let traces: BTreeMap<JobId, TraceContext> = rows
            .iter()
            .filter_map(|row| Some((JobId(row.get("job_id")), context(row.get("traceparent"))?)))
            .collect();
        for step in moves {
            if let Some(trace) = traces.get(&step.ticket.job)
                && let Some(span) = attempted(self, step, *trace)
            {
                self.notes().span(span);
            }
        }
        Ok(())
    }
}

impl Tx {
    /// Notes the planning that these changes caused, from the oldest of them until now, and returns its span: what
    /// is planned is part of it. It continues the trace of the first request that is recorded, or else of the first
    /// there is, and is linked to the others. `None` when no request brought the changes.
    pub fn trace_planned(&self, changes: &[Change]) -> Option<TraceContext> {
        let (oldest, newest) = (changes.first()?, changes.last()?);
        let traces = || changes.iter().filter_map(|change| change.trace);
        let cause = traces()
            .find(|trace| trace.sampled)
            .or_else(|| traces().next())?;
        let plan = cause.of_plan(newest.place.row);
        if self.traces().is_on() {
            let others: BTreeSet<_> = traces()
                .filter(|other| *other != cause)
                .map(|other| (other.trace, other.span, other.sampled))
                .collect();
            self.notes().span(Span {
                context: plan,
                parent: cause.span,
                parent_is_remote: true,
                name: "impact plan".into(),
                kind: SpanKind::Internal,
                start: oldest.created_at.min(self.now()),
                end: self.now(),
                attributes: vec![
                    ("tenant", self.tenant().to_string()),
                    ("impact.changes", changes.len().to_string()),
                ],
                links: others
                    .into_iter()
                    .take(LINKS)
                    .map(|(trace, span, sampled)| TraceContext {
                        trace,
                        span,
                        sampled,
                    })
                    .collect(),
                failure: None,
            });
        }
        Some(plan)
    }
}

impl Grant {
    fn trace(&self) -> Option<TraceContext> {
        context(self.traceparent.as_deref())
    }
}

fn waited(
    tx: &Tx,
    grant: &Grant,
    trace: TraceContext,
    tried_at: Option<Timestamp>,
    links: Vec<TraceContext>,
) -> Span {
    let since = tried_at.or_else(|| grant.job.submitted_at());
    Span {
        context: trace.of_attempt(grant.job, grant.attempt, Phase::Wait),
        parent: trace.span,
        parent_is_remote: true,
        name: "job wait".into(),
        kind: SpanKind::Internal,
        start: since.unwrap_or(tx.now()).min(tx.now()),
        end: tx.now(),
        attributes: attributes(tx.tenant(), grant.job, &grant.job_type, grant.attempt),
        links,
        failure: None,
    }
}

fn attempted(tx: &Tx, step: &Move, trace: TraceContext) -> Option<Span> {
    let held = step.held.as_ref()?;
    let (job, attempt) = (step.ticket.job, held.attempt);
    let mut attributes = attributes(tx.tenant(), job, &step.ticket.job_type, attempt);
    attributes.push(("job.cause", step.cause.to_owned()));
    attributes.extend(step.class.map(|class| ("job.class", class.to_owned())));
    let failed = matches!(step.cause, "failed" | "expired" | "timed_out");
    Some(Span {
        context: attempt_of(trace, job, attempt),
        parent: trace.span,
        parent_is_remote: true,
        name: "job attempt".into(),
        kind: SpanKind::Consumer,
        start: held.granted_at.min(tx.now()),
        end: tx.now(),
        attributes,
        links: Vec::new(),
        failure: failed.then(|| step.class.unwrap_or(step.cause).to_owned()),
    })
}

fn attempt_of(trace: TraceContext, job: JobId, attempt: u32) -> TraceContext {
    trace.of_attempt(job, attempt, Phase::Attempt)
}

fn attributes(
    tenant: TenantId,
    job: JobId,
    job_type: &str,
    attempt: u32,
) -> Vec<(&'static str, String)> {
    vec![
        ("tenant", tenant.to_string()),
        ("job.id", job.to_string()),
        ("job.type", job_type.to_owned()),
        ("job.attempt", attempt.to_string()),
    ]
}

/// The column as it is meant; one that cannot be read traces nothing.
pub(crate) fn context(traceparent: Option<&str>) -> Option<TraceContext> {
    traceparent?.parse().ok()
}
