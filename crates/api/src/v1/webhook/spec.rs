//! What a person decides about a webhook: checked here, and by the egress policy.

use std::collections::BTreeSet;

use jobengine_domain::egress::{Denied, Destination, EgressPolicy, Hosts};
use jobengine_domain::id::RunId;
use jobengine_domain::webhook::{Filter, FilterError};
use jobengine_store::WebhookSpec;

use crate::check::Checks;
use crate::problem::{Code, Problem};

/// Longest name of a webhook, in characters.
const NAME_MAX: usize = 200;

/// Checks the name.
///
/// # Errors
/// `REQUEST_INVALID`.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let mut checks = Checks::default();
    checks.text(|| "name".to_owned(), name, NAME_MAX);
    checks.end()
}

/// Reads the three parts of a filter.
///
/// # Errors
/// `REQUEST_INVALID` with the field.
pub(super) fn filter(
    event_types: BTreeSet<String>,
    job_types: BTreeSet<String>,
    run: Option<RunId>,
) -> Result<Filter, Problem> {
    Filter::new(event_types, job_types, run).map_err(|error| {
        let (field, code) = match error {
            FilterError::EventType(_) => ("eventTypes", "VALUE"),
            FilterError::JobType => ("jobTypes", "VALUE"),
            FilterError::TooMany => ("eventTypes", "RANGE"),
        };
        Problem::field(field, code, error.to_string())
    })
}

/// Puts together what is stored, with the URL in the spelling that was judged.
///
/// # Errors
/// `WEBHOOK_URL_DENIED`.
pub(super) fn spec(
    policy: &EgressPolicy,
    hosts: &Hosts,
    name: String,
    url: &str,
    filter: Filter,
) -> Result<WebhookSpec, Problem> {
    let destination = Destination::parse(url, policy, hosts).map_err(|why| denied(&why))?;
    Ok(WebhookSpec {
        name,
        url: destination.url().to_string(),
        filter,
    })
}

fn denied(why: &Denied) -> Problem {
    let detail = why.to_string();
    Problem::new(Code::WebhookUrlDenied, detail.clone()).with_error("url", why.code(), detail)
}
