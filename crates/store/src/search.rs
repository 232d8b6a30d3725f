//! Finding jobs: by state, type, source, tag, run, project, correlation id, time and text.
//!
//! Whatever is asked for, ids are drawn from an index that holds only jobs of that kind, in the order
//! of the ids, and no more of them than a page needs. Of several filters the one whose next ids lie
//! farthest apart leads; the others are tried on what it finds. So a rare kind of job is found at once
//! among millions, and no search reads more than a bounded number of rows: one that finds too little
//! says where to go on.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use jobengine_domain::id::{JobId, ProjectId, RunId};
use jobengine_domain::time::Timestamp;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::caller::Tx;
use crate::error::StoreError;
use crate::job::{JobRecord, job_brief};

/// Ids drawn at once after the first page's worth did not suffice.
const CHUNK: u32 = 1_000;
/// Jobs looked at in one search.
const SCAN_MAX: usize = 5_000;

/// Which jobs a search is for: those that pass every filter that is set.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// In one of these states, by their wire spelling; empty: any.
    pub states: BTreeSet<String>,
    /// Of this type.
    pub job_type: Option<String>,
    /// For this source.
    pub source: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this run.
    pub run: Option<RunId>,
    /// Of this project.
    pub project: Option<ProjectId>,
    /// With this correlation id.
    pub correlation_id: Option<String>,
    /// Submitted at this moment or later, to the millisecond.
    pub from: Option<Timestamp>,
    /// Submitted before this moment, to the millisecond.
    pub to: Option<Timestamp>,
    /// The beginning of the job's id when it can be one (8 hex digits or more, as a UUID is written);
    /// otherwise a part of its name, type or correlation id, in upper or lower case.
    pub text: Option<String>,
}

/// Which part of what is found is shown.
#[derive(Debug, Clone, Copy)]
pub struct JobPlace {
    /// Newest first.
    pub newest_first: bool,
    /// Behind this job in that order.
    pub after: Option<JobId>,
    /// At most so many.
    pub limit: u32,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct JobsFound {
    /// The jobs, without payloads and results, in the order of their ids or against it.
    pub jobs: Vec<JobRecord>,
    /// Where to go on: there may be more, also when the page is short or empty.
    pub resume: Option<JobId>,
}

impl Tx {
    /// Searches jobs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job_search(
        &self,
        filter: &JobFilter,
        place: JobPlace,
    ) -> Result<JobsFound, StoreError> {
        let limit = place.limit as usize;
        let mut range = Range::of(filter, place);
        let (mut jobs, mut scanned) = (Vec::new(), 0);
        let mut chunk = place.limit;
        loop {
            let ids = self.candidates(filter, &range, chunk).await?;
            scanned += ids.len();
            let last = ids.last().copied().map(JobId);
            jobs.extend(self.passing(filter, &ids, place.newest_first).await?);
            if jobs.len() >= limit {
                let more = jobs.len() > limit || ids.len() >= chunk as usize;
                jobs.truncate(limit);
                let shown = jobs.last().map(|job: &JobRecord| job.id);
                return Ok(JobsFound {
                    jobs,
                    resume: shown.filter(|_| more),
                });
            }
            let Some(last) = last.filter(|_| ids.len() >= chunk as usize) else {
                return Ok(JobsFound { jobs, resume: None });
            };
            if scanned >= SCAN_MAX {
                let resume = Some(last);
                return Ok(JobsFound { jobs, resume });
            }
            range.pass(last);
            chunk = CHUNK;
        }
    }

    /// The next ids in question, at most `chunk`, in the order of the search: of the filter whose ids
    /// reach farthest.
    async fn candidates(
        &self,
        filter: &JobFilter,
        range: &Range,
        chunk: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let leads = filter.leads();
        let drawn = leads.iter().map(|lead| self.draw_ids(lead, range, chunk));
        let mut drawn = try_join_all(drawn).await?;
        let sparsest = (0..drawn.len()).max_by_key(|at| {
            let ids: &Vec<Uuid> = &drawn[*at];
            let ends = ids.len() < chunk as usize;
            let reach = ids.last().map(|last| range.reach(*last));
            // One that ends is complete; the shorter the better.
            (ends, ends.then_some(usize::MAX - ids.len()), reach)
        });
        Ok(sparsest.map_or_else(Vec::new, |at| drawn.swap_remove(at)))
    }

    async fn draw_ids(
        &self,
        lead: &Lead<'_>,
        range: &Range,
        chunk: u32,
    ) -> Result<Vec<Uuid>, StoreError> {
        let (low, high) = range.bounds();
        let (first, last) = if range.newest_first {
            (0, i64::from(chunk))
        } else {
            (i64::from(chunk), 0)
        };
        let bounds: [&(dyn ToSql + Sync); 4] = [&low, &high, &first, &last];
        let asked = lead.0.iter().map(async |(sql, value)| {
            let mut params = bounds.to_vec();
            match value {
                Value::None => {}
                Value::Text(text) => params.push(text),
                Value::Id(id) => params.push(id),
            }
            self.query(sql, &params).await
        });
        let mut ids: Vec<Uuid> = try_join_all(asked)
            .await?
            .iter()
            .flatten()
            .map(|row| row.get("job_id"))
            .collect();
        ids.sort_unstable();
        if range.newest_first {
            ids.reverse();
        }
        ids.dedup();
        ids.truncate(chunk as usize);
        Ok(ids)
    }

    /// Those of the jobs that pass every filter, in the order of the search.
    async fn passing(
        &self,
        filter: &JobFilter,
        ids: &[Uuid],
        newest_first: bool,
    ) -> Result<Vec<JobRecord>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let states: Vec<&str> = filter.states.iter().map(String::as_str).collect();
        let text = filter
            .text
            .as_deref()
            .filter(|text| id_range(text).is_none());
        let rows = self
            .query(
                include_str!("search/page.sql"),
                &[
                    &ids,
                    &Some(states).filter(|states| !states.is_empty()),
                    &filter.job_type,
                    &filter.source,
                    &filter.tag,
                    &filter.run.map(|run| run.0),
                    &filter.project.map(|project| project.0),
                    &filter.correlation_id,
                    &text.map(str::to_lowercase),
                ],
            )
            .await?;
        let mut jobs: Vec<JobRecord> = rows.iter().map(job_brief).collect::<Result<_, _>>()?;
        if newest_first {
            jobs.reverse();
        }
        Ok(jobs)
    }
}

/// The statements that together draw the ids of one filter.
struct Lead<'f>(Vec<(&'static str, Value<'f>)>);

/// The value that a statement looks for.
enum Value<'f> {
    None,
    Text(&'f str),
    Id(Uuid),
}

impl JobFilter {
    /// One lead for each filter that has an index; every job when there is none.
    fn leads(&self) -> Vec<Lead<'_>> {
        let mut leads = Vec::new();
        let mut lead = |sql, value| leads.push(Lead(vec![(sql, value)]));
        if let Some(run) = self.run {
            lead(include_str!("search/run.sql"), Value::Id(run.0));
        }
        if let Some(project) = self.project {
            lead(include_str!("search/project.sql"), Value::Id(project.0));
        }
        for (sql, value) in [
            (include_str!("search/correlation.sql"), &self.correlation_id),
            (include_str!("search/tag.sql"), &self.tag),
            (include_str!("search/source.sql"), &self.source),
            (include_str!("search/type.sql"), &self.job_type),
        ] {
            if let Some(text) = value {
                lead(sql, Value::Text(text));
            }
        }
        if !self.states.is_empty() {
            leads.push(Lead(
                self.states.iter().map(|state| by_state(state)).collect(),
            ));
        }
        if leads.is_empty() {
            leads.push(Lead(vec![(include_str!("search/walk.sql"), Value::None)]));
        }
        leads
    }
}

fn by_state(state: &str) -> (&'static str, Value<'_>) {
    match state {
        "blocked" => (include_str!("search/blocked.sql"), Value::None),
        "queued" => (include_str!("search/queued.sql"), Value::None),
        "leased" => (include_str!("search/leased.sql"), Value::None),
        // Nearly every job: there is no index of its own, and whoever ended otherwise is passed over.
        "succeeded" => (include_str!("search/outcomes.sql"), Value::None),
        ended => (include_str!("search/ended.sql"), Value::Text(ended)),
    }
}

/// The ids still in question, both ends excluded.
struct Range {
    low: u128,
    high: u128,
    newest_first: bool,
}

impl Range {
    fn of(filter: &JobFilter, place: JobPlace) -> Self {
        let (mut low, mut high) = (0, u128::MAX);
        if let Some(from) = filter.from {
            low = id_floor(from).saturating_sub(1);
        }
        if let Some(to) = filter.to {
            high = id_floor(to);
        }
        if let Some((first, last)) = filter.text.as_deref().and_then(id_range) {
            low = low.max(first.saturating_sub(1));
            high = high.min(last.saturating_add(1));
        }
        let mut range = Self {
            low,
            high,
            newest_first: place.newest_first,
        };
        if let Some(after) = place.after {
            range.pass(after);
        }
        range
    }

    /// Leaves behind everything up to this job.
    fn pass(&mut self, job: JobId) {
        let at = job.0.as_u128();
        if self.newest_first {
            self.high = self.high.min(at);
        } else {
            self.low = self.low.max(at);
        }
    }

    fn bounds(&self) -> (Uuid, Uuid) {
        (Uuid::from_u128(self.low), Uuid::from_u128(self.high))
    }

    /// How far an id lies from where the search stands.
    fn reach(&self, id: Uuid) -> u128 {
        if self.newest_first {
            self.high.saturating_sub(id.as_u128())
        } else {
            id.as_u128().saturating_sub(self.low)
        }
    }
}

/// The first id that is drawn at a moment, or after it within its millisecond.
pub(crate) fn id_floor(at: Timestamp) -> u128 {
    u128::from(at.as_millis().max(0).cast_unsigned()) << 80
}

/// The first and the last id that begin so; `None` for what is not the beginning of an id.
fn id_range(text: &str) -> Option<(u128, u128)> {
    /// Where the dashes of a UUID stand.
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let mut digits = 0;
    let mut value: u128 = 0;
    for (at, character) in text.char_indices() {
        if character == '-' {
            if !DASHES.contains(&at) {
                return None;
            }
            continue;
        }
        value =
            value.checked_mul(16).filter(|_| digits < 32)? | u128::from(character.to_digit(16)?);
        digits += 1;
    }
    if digits < 8 {
        return None;
    }
    let left = 4 * (32 - digits);
    let first = value.checked_shl(left).unwrap_or(0);
    Some((
        first,
        first | 1_u128.checked_shl(left).map_or(u128::MAX, |next| next - 1),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_an_id_is_told_from_other_text() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let range = id_range(text);
            let expected = expected.map(|(first, last)| {
                let id = |text: &str| text.parse::<Uuid>().unwrap().as_u128();
                (id(first), id(last))
            });
            assert_eq!(range, expected, "{text}");
        };
        let whole = "01890000-1234-7000-8000-00000000abcd";
        check(whole, Some((whole, whole)));
        check(&whole.replace('-', ""), Some((whole, whole)));
        check(
            "01890000-12",
            Some((
                "01890000-1200-0000-0000-000000000000",
                "01890000-12ff-ffff-ffff-ffffffffffff",
            )),
        );
        check("0189000", None);
        check("0189-0000", None);
        check("feed.fetch", None);
        check(&format!("{whole}0"), None);
    }

    #[test]
    fn a_moment_is_a_bound_of_ids() {
        // Later than what other tests of this process draw: within a process drawn ids do not go back.
        let at = Timestamp::from_micros(4_102_444_800_123_999);
        let drawn: Uuid = crate::draw(at);
        let next = Timestamp::from_micros(4_102_444_800_124_000);
        assert!((id_floor(at)..id_floor(next)).contains(&drawn.as_u128()));
    }
}
