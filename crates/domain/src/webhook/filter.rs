//! Which events a webhook is told of.

use std::collections::BTreeSet;

use crate::event::EventType;
use crate::id::RunId;

/// Event types a filter names.
pub const EVENT_TYPES_MAX: usize = 50;
/// Job types a filter names.
pub const JOB_TYPES_MAX: usize = 100;
const NAME_MAX: usize = 100;

/// What must hold of an event; what is empty holds of all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    event_types: BTreeSet<String>,
    job_types: BTreeSet<String>,
    run: Option<RunId>,
}

/// Why a filter cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Neither a type such as `job.failed` nor a family such as `job.*`.
    #[error("`{0}` is not an event type such as job.failed, nor a family such as job.*")]
    EventType(String),
    /// Empty, too long or not printable.
    #[error("a job type has 1 to {NAME_MAX} printable characters")]
    JobType,
    /// More names than one filter holds.
    #[error("at most {EVENT_TYPES_MAX} event types and {JOB_TYPES_MAX} job types are taken")]
    TooMany,
}

impl Filter {
    /// A filter of event types (`job.failed`, or `job.*` for the family), job types, and a run.
    ///
    /// # Errors
    /// [`FilterError`] with the first name that cannot be taken.
    pub fn new(
        event_types: BTreeSet<String>,
        job_types: BTreeSet<String>,
        run: Option<RunId>,
    ) -> Result<Self, FilterError> {
        if event_types.len() > EVENT_TYPES_MAX || job_types.len() > JOB_TYPES_MAX {
            return Err(FilterError::TooMany);
        }
        if let Some(bad) = event_types.iter().find(|name| !is_event_type(name)) {
            return Err(FilterError::EventType(bad.chars().take(80).collect()));
        }
        let sound = |name: &String| {
            (1..=NAME_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        if !job_types.iter().all(sound) {
            return Err(FilterError::JobType);
        }
        Ok(Self {
            event_types,
            job_types,
            run,
        })
    }

    /// The event types and families it names.
    pub const fn event_types(&self) -> &BTreeSet<String> {
        &self.event_types
    }

    /// Every event type that it lets through; empty for all.
    pub fn kinds(&self) -> Vec<EventType> {
        if self.event_types.is_empty() {
            return Vec::new();
        }
        let named = |kind: &EventType| self.names(kind.as_str());
        EventType::ALL.iter().copied().filter(named).collect()
    }

    /// The job types it names.
    pub const fn job_types(&self) -> &BTreeSet<String> {
        &self.job_types
    }

    /// The run it names.
    pub const fn run(&self) -> Option<RunId> {
        self.run
    }

    /// Whether an event is told: its type, its run, and the type of its job. An event without a job
    /// passes no filter that names job types.
    pub fn matches(&self, event_type: &str, run: Option<RunId>, job_type: Option<&str>) -> bool {
        (self.event_types.is_empty() || self.names(event_type))
            && (self.run.is_none() || self.run == run)
            && (self.job_types.is_empty()
                || job_type.is_some_and(|job_type| self.job_types.contains(job_type)))
    }

    fn names(&self, event_type: &str) -> bool {
        self.event_types
            .iter()
            .any(|name| match name.strip_suffix('*') {
                Some(family) => event_type.starts_with(family),
                None => event_type == name,
            })
    }
}

/// A type that there is, or a family with at least one.
fn is_event_type(name: &str) -> bool {
    match name.strip_suffix(".*") {
        Some(family) => EventType::ALL.iter().any(|kind| {
            kind.as_str()
                .strip_prefix(family)
                .is_some_and(|rest| rest.starts_with('.'))
        }),
        None => name.parse::<EventType>().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const RUN: RunId = RunId(Uuid::from_u128(7));

    fn filter(event_types: &[&str], job_types: &[&str], run: Option<RunId>) -> Filter {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Filter::new(set(event_types), set(job_types), run).unwrap()
    }

    #[test]
    fn all_that_is_named_must_hold() {
        let check = |filter: &Filter, event: (&str, Option<RunId>, Option<&str>), expected| {
            let (event_type, run, job_type) = event;
            assert_eq!(
                filter.matches(event_type, run, job_type),
                expected,
                "{event:?}"
            );
        };
        let failed = ("job.failed", Some(RUN), Some("scan"));
        check(&filter(&[], &[], None), failed, true);
        check(&filter(&["job.failed"], &[], None), failed, true);
        check(&filter(&["job.*"], &[], None), failed, true);
        check(
            &filter(&["run.*", "job.succeeded"], &[], None),
            failed,
            false,
        );
        check(&filter(&["job.*"], &["scan"], Some(RUN)), failed, true);
        check(&filter(&["job.*"], &["build"], None), failed, false);
        check(&filter(&[], &[], Some(RunId(Uuid::nil()))), failed, false);
        check(
            &filter(&[], &["scan"], None),
            ("run.finished", Some(RUN), None),
            false,
        );
        check(
            &filter(&["job.*"], &[], None),
            ("jobs.moved", None, None),
            false,
        );
    }

    #[test]
    fn a_family_is_its_types() {
        assert_eq!(filter(&[], &[], None).kinds(), []);
        let runs = [
            EventType::RunCreated,
            EventType::RunFinished,
            EventType::RunCompleted,
        ];
        assert_eq!(filter(&["run.*"], &[], None).kinds(), runs);
    }

    #[test]
    fn names_are_checked() {
        let refused = |event: &str, job: &str| {
            let set = |name: &str| BTreeSet::from([name.to_owned()]);
            Filter::new(set(event), set(job), None).is_err()
        };
        assert!(!refused("run.completed", "scan.image"));
        for bad in [
            "",
            "*",
            "job",
            ".",
            "job.",
            "jo.*",
            "job.fa*",
            "job.exploded",
        ] {
            assert!(refused(bad, "scan"), "{bad}");
        }
        assert!(refused("job.*", "") && refused("job.*", "a\n"));
        let many = (0..=JOB_TYPES_MAX)
            .map(|number| number.to_string())
            .collect();
        let many = Filter::new(BTreeSet::new(), many, None);
        assert_eq!(many, Err(FilterError::TooMany));
    }
}
