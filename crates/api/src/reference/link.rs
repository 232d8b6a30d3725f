//! Links: what the answer of one operation gives to another one.

use utoipa::openapi::link::Link;
use utoipa::openapi::{OpenApi, RefOr};

use super::operations;

/// An operation's answer with its status, the operation that goes on from it, and what it takes over:
/// a parameter and where in the answer its value stands.
type Declared = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const JOB: &str = "$response.body#/jobIds/0";
const RUN: &str = "$response.body#/runId";
/// Only what every answer holds is linked: a list or a claim may be empty.
const LINKS: [Declared; 8] = [
    ("job_submit", "201", "job_get", &[("jobId", JOB)]),
    ("job_submit", "201", "job_cancel", &[("jobId", JOB)]),
    ("run_create", "201", "run_get", &[("runId", RUN)]),
    ("run_create", "201", "run_cancel", &[("runId", RUN)]),
    ("run_create", "201", "job_list", &[("runId", RUN)]),
    (
        "run_create",
        "201",
        "job_get",
        &[("jobId", "$response.body#/jobs/0/jobId")],
    ),
    (
        "sbom_put",
        "201",
        "image_get",
        &[("digest", "$response.body#/imageDigest")],
    ),
    (
        "sbom_put",
        "201",
        "finding_list",
        &[("image", "$response.body#/imageDigest")],
    ),
];

/// Writes the links into the answers, and into every list the one to its next page.
pub(super) fn declare(document: &mut OpenApi) {
    for operation in operations(document) {
        let name = operation.operation_id.clone().unwrap_or_default();
        let pages = operation.parameters.iter().flatten().any(|parameter| {
            matches!(parameter, RefOr::T(parameter) if parameter.name == "continuationToken")
        });
        let next: &'static [(&str, &str)] =
            &[("continuationToken", "$response.body#/continuationToken")];
        let own = LINKS
            .iter()
            .filter(|(from, ..)| *from == name)
            .map(|(_, status, to, parameters)| (*status, (*to).to_owned(), *parameters));
        let next = pages.then(|| ("200", name.clone(), next));
        for (status, to, parameters) in own.chain(next) {
            let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) else {
                continue;
            };
            let title = if to == name { "next" } else { to.as_str() };
            let link = link(&to, parameters);
            response.links.insert(title.to_owned(), RefOr::T(link));
        }
    }
}

fn link(to: &str, parameters: &[(&str, &str)]) -> Link {
    let built = Link::builder().operation_id(to);
    parameters
        .iter()
        .fold(built, |built, (name, from)| built.parameter(*name, *from))
        .build()
}
