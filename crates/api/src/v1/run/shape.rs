//! The jobs of a run as they are asked for, brought into the order in which the ledger takes them.

use std::collections::BTreeMap;

use jobengine_domain::dag::{EdgePolicy, Node, order};
use jobengine_domain::priority::Priority;
use jobengine_domain::time::Timestamp;
use jobengine_store::NewJob;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::check::Checks;
use crate::problem::{Code, Problem};
use crate::v1::job::{JobSpec, Origin};

/// Longest name of a job within its run.
const KEY_MAX: usize = 200;

/// A job of a run
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RunJob {
    /// Its name within the run.
    #[schema(min_length = 1, max_length = 200, example = "fetch")]
    key: String,
    /// For whom it waits.
    #[serde(default)]
    #[schema(max_items = 10_000)]
    parents: Vec<Parent>,
    /// Which workers may claim it: letters, digits, `.`, `_`, `:`, `/` and `-`.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9._:/-]+$",
        example = "feed.fetch"
    )]
    r#type: String,
    /// Any JSON up to 128 KiB. The worker gets it byte for byte.
    #[schema(value_type = serde_json::Value)]
    payload: Box<RawValue>,
    /// Its band; `normal` unless said otherwise.
    #[schema(value_type = Option<String>, pattern = "^(low|normal|high|emergency)$")]
    priority: Option<Priority>,
    /// Attempts in all; 5 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    max_attempts: Option<u32>,
    /// Attempts that may end with the worker's disappearance; 3 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    max_crash_attempts: Option<u32>,
    /// Not before this moment (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    not_before: Option<Timestamp>,
    /// Success after this moment does not count (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    deadline: Option<Timestamp>,
    /// Follows the job through logs and events; the run's own unless said otherwise.
    #[schema(min_length = 1, max_length = 128)]
    correlation_id: Option<String>,
    /// The name of the upstream it works for; the run's own unless said otherwise.
    #[schema(min_length = 1, max_length = 200, example = "osv")]
    source: Option<String>,
    /// Words to find it by, each of 1 to 64 characters without commas.
    #[serde(default)]
    #[schema(max_items = 16)]
    tags: Vec<String>,
}

/// A job that another one waits for
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Parent {
    /// Its name within the run.
    key: String,
    /// How its end is taken: it must succeed (`require`, unless said otherwise), must end (`always`),
    /// or must fail (`onFailure`).
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(require|always|onFailure)$")]
    policy: EdgePolicy,
}

/// Jobs in topological order.
pub(super) struct Shape {
    /// The jobs, parents first.
    pub jobs: Vec<NewJob>,
    /// The place of each in the request.
    pub order: Vec<usize>,
}

impl Shape {
    /// Checks fields and shape.
    ///
    /// # Errors
    /// `REQUEST_INVALID` for fields, `DAG_INVALID` for the shape.
    pub(super) fn of(
        jobs: Vec<RunJob>,
        mut checks: Checks,
        origin: &Origin,
    ) -> Result<Self, Problem> {
        let mut nodes = Vec::with_capacity(jobs.len());
        let mut specs = Vec::with_capacity(jobs.len());
        for (at, job) in jobs.into_iter().enumerate() {
            let place = format!("jobs[{at}]");
            let (node, spec) = job.split(&place, &mut checks);
            spec.check(&place, &mut checks);
            nodes.push(node);
            specs.push(Some(spec));
        }
        checks.end()?;
        let order =
            order(&nodes).map_err(|error| Problem::new(Code::DagInvalid, error.to_string()))?;
        let place: BTreeMap<&str, usize> = order
            .iter()
            .enumerate()
            .map(|(place, at)| (nodes[*at].key.as_str(), place))
            .collect();
        let job = |at: &usize| {
            let node = &nodes[*at];
            let parents = node.parents.iter();
            let parents = parents.map(|(key, policy)| (place[key.as_str()], *policy));
            let spec = specs[*at].take().expect("an order names each job once");
            spec.into_job(node.key.clone(), parents.collect(), origin)
        };
        let jobs = order.iter().map(job).collect();
        Ok(Self { jobs, order })
    }
}

impl RunJob {
    fn split(self, place: &str, checks: &mut Checks) -> (Node, JobSpec) {
        checks.text(|| format!("{place}.key"), &self.key, KEY_MAX);
        let mut parents = BTreeMap::new();
        for (at, parent) in self.parents.into_iter().enumerate() {
            let twice = parents.insert(parent.key, parent.policy).is_some();
            checks.hold(
                !twice,
                || format!("{place}.parents[{at}].key"),
                "VALUE",
                "the same parent stands twice",
            );
        }
        let node = Node {
            key: self.key,
            parents,
        };
        let spec = JobSpec {
            r#type: self.r#type,
            payload: self.payload,
            priority: self.priority,
            max_attempts: self.max_attempts,
            max_crash_attempts: self.max_crash_attempts,
            not_before: self.not_before,
            deadline: self.deadline,
            correlation_id: self.correlation_id,
            // A run's jobs all belong where the run does.
            project_id: None,
            source: self.source,
            tags: self.tags,
        };
        (node, spec)
    }
}
