//! What is said: which tenant's jobs of which type may be ready, and from which place on.

use jobengine_domain::id::TenantId;
use jobengine_store::ReadyJobs;

/// Longest job type that is carried over the line; a longer one is forged.
const TYPE_MAX_BYTES: usize = 400;

/// Work of one tenant that may be ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Whose.
    pub tenant: TenantId,
    /// What.
    pub ready: Ready,
}

/// What may be ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ready {
    /// Jobs of one type.
    Jobs(ReadyJobs),
    /// Anything: the listener looks at everything it waits for.
    Anything,
}

impl Hint {
    /// Jobs of some types of one tenant.
    pub fn jobs(tenant: TenantId, ready: Vec<ReadyJobs>) -> Vec<Self> {
        let hint = |jobs| Self {
            tenant,
            ready: Ready::Jobs(jobs),
        };
        ready.into_iter().map(hint).collect()
    }

    /// Anything of one tenant.
    pub const fn anything(tenant: TenantId) -> Self {
        Self {
            tenant,
            ready: Ready::Anything,
        }
    }

    /// One line: the tenant, then `*`, or place, count and type. The type stands last: it may hold
    /// spaces, but no line break (another would be forged, and only wake somebody in vain).
    pub(crate) fn to_line(&self) -> String {
        match &self.ready {
            Ready::Anything => format!("{} *", self.tenant),
            Ready::Jobs(jobs) => format!(
                "{} {} {} {}",
                self.tenant, jobs.from, jobs.jobs, jobs.job_type
            ),
        }
    }

    /// Reads a line; `None` for what is not one of ours.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let (tenant, rest) = line.split_once(' ')?;
        let tenant = tenant.parse().ok()?;
        if rest == "*" {
            return Some(Self::anything(tenant));
        }
        let mut parts = rest.splitn(3, ' ');
        let from = parts.next()?.parse().ok()?;
        let jobs = parts.next()?.parse().ok()?;
        let job_type = parts.next()?;
        (job_type.len() <= TYPE_MAX_BYTES).then(|| Self {
            tenant,
            ready: Ready::Jobs(ReadyJobs {
                job_type: job_type.to_owned(),
                from,
                jobs,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        "0190f1de-0000-7000-8000-000000000001".parse().unwrap()
    }

    #[test]
    fn a_line_leads_back_to_its_hint() {
        for hint in [
            Hint::anything(tenant()),
            Hint::jobs(
                tenant(),
                vec![ReadyJobs {
                    job_type: "impact.evaluate of all".into(),
                    from: -7,
                    jobs: 3,
                }],
            )
            .remove(0),
        ] {
            assert_eq!(Hint::from_line(&hint.to_line()), Some(hint));
        }
    }

    #[test]
    fn forged_lines_are_dropped() {
        let tenant = tenant();
        for line in [
            String::new(),
            "*".into(),
            "x *".into(),
            format!("{tenant}"),
            format!("{tenant} 1"),
            format!("{tenant} 1 2"),
            format!("{tenant} 1 -2 t"),
            format!("{tenant} 99999999999999999999 2 t"),
            format!("{tenant} 1 2 {}", "t".repeat(401)),
        ] {
            assert_eq!(Hint::from_line(&line), None, "{line}");
        }
    }
}
