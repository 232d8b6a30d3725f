//! Finding jobs: what is found is what a plain filter over all jobs would find, page by page.

use std::collections::BTreeSet;

use jobengine_domain::id::JobId;
use jobengine_domain::state::Report;
use jobengine_store::{JobFilter, JobPlace, NewJob};

use crate::house::{Ledger, failed, job};
use jobengine_domain::class::FailureClass;

/// Every job a filter finds, read in pages of `limit`.
async fn all(ledger: &Ledger, filter: &JobFilter, newest_first: bool, limit: u32) -> Vec<JobId> {
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let place = JobPlace {
            newest_first,
            after,
            limit,
        };
        let page = tx.job_search(filter, place).await.unwrap();
        assert!(page.jobs.len() <= limit as usize);
        found.extend(page.jobs.iter().map(|job| job.id));
        after = page.resume;
        if after.is_none() {
            tx.commit().await.unwrap();
            return found;
        }
    }
}

fn with(of: impl FnOnce(&mut JobFilter)) -> JobFilter {
    let mut filter = JobFilter::default();
    of(&mut filter);
    filter
}

fn states(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Sixty jobs of several kinds, some of which have ended.
async fn many(ledger: &Ledger) -> Vec<JobId> {
    let jobs: Vec<NewJob> = (0..60)
        .map(|at| NewJob {
            job_type: if at % 7 == 0 { "rare" } else { "t" }.into(),
            source: (at % 3 == 0).then(|| "osv".to_owned()),
            tags: if at % 5 == 0 {
                vec!["nightly".into(), format!("n{at}")]
            } else {
                Vec::new()
            },
            correlation_id: format!("Batch-{}", at / 10),
            ..job()
        })
        .collect();
    let ids = ledger.submit(&jobs).await;
    for (at, grant) in ledger.claim(20).await.iter().enumerate() {
        match at % 4 {
            0 => drop(ledger.report(grant, Report::Succeeded).await),
            1 => drop(ledger.report(grant, failed(FailureClass::Schema)).await),
            2 => drop(ledger.report(grant, failed(FailureClass::Network)).await),
            _ => {}
        }
    }
    ids
}

#[tokio::test]
async fn every_filter_finds_what_it_names_in_either_order() {
    let ledger = Ledger::open().await;
    let ids = many(&ledger).await;
    let at = |keep: fn(usize) -> bool| -> Vec<JobId> {
        (0..60).filter(|at| keep(*at)).map(|at| ids[at]).collect()
    };
    let check = async |filter: JobFilter, expected: Vec<JobId>| {
        for limit in [1, 7, 500] {
            let mut found = all(&ledger, &filter, false, limit).await;
            assert_eq!(found, expected, "{filter:?}, {limit} a page");
            found.reverse();
            let newest = all(&ledger, &filter, true, limit).await;
            assert_eq!(newest, found, "{filter:?}, newest first, {limit} a page");
        }
    };
    check(JobFilter::default(), ids.clone()).await;
    check(
        with(|filter| filter.job_type = Some("rare".into())),
        at(|at| at % 7 == 0),
    )
    .await;
    check(
        with(|filter| filter.source = Some("osv".into())),
        at(|at| at % 3 == 0),
    )
    .await;
    check(
        with(|filter| filter.tag = Some("n20".into())),
        at(|at| at == 20),
    )
    .await;
    check(
        with(|filter| filter.correlation_id = Some("Batch-3".into())),
        at(|at| at / 10 == 3),
    )
    .await;
    check(
        with(|filter| filter.text = Some("bATCH-4".into())),
        at(|at| at / 10 == 4),
    )
    .await;
    check(
        with(|filter| filter.text = Some(ids[33].to_string())),
        vec![ids[33]],
    )
    .await;
    check(
        with(|filter| {
            filter.tag = Some("nightly".into());
            filter.source = Some("osv".into());
            filter.job_type = Some("t".into());
        }),
        at(|at| at % 15 == 0 && at % 7 != 0),
    )
    .await;
    check(with(|filter| filter.tag = Some("none".into())), Vec::new()).await;
}

#[tokio::test]
async fn every_state_is_found_alone_and_with_others() {
    let ledger = Ledger::open().await;
    let ids = many(&ledger).await;
    let mut by_state = std::collections::BTreeMap::<String, BTreeSet<JobId>>::new();
    for id in &ids {
        by_state
            .entry(ledger.state(*id).await)
            .or_default()
            .insert(*id);
    }
    assert_eq!(by_state.len(), 4, "{by_state:?}");
    for wanted in [
        &["succeeded"][..],
        &["failed"],
        &["leased"],
        &["queued"],
        &["blocked"],
        &["failed", "succeeded"],
        &["leased", "queued", "failed"],
    ] {
        let filter = with(|filter| filter.states = states(wanted));
        let expected: BTreeSet<JobId> = wanted
            .iter()
            .filter_map(|state| by_state.get(*state))
            .flatten()
            .copied()
            .collect();
        for limit in [2, 100] {
            let found = all(&ledger, &filter, false, limit).await;
            assert!(found.is_sorted());
            assert_eq!(
                found.into_iter().collect::<BTreeSet<_>>(),
                expected,
                "{wanted:?}"
            );
        }
    }
}

#[tokio::test]
async fn time_bounds_are_those_of_the_submit() {
    let ledger = Ledger::open().await;
    let early = ledger.submit(&[job()]).await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let between = ledger.store.now().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let late = ledger.submit(&[job()]).await;
    let from = with(|filter| filter.from = Some(between));
    assert_eq!(all(&ledger, &from, false, 10).await, late);
    let to = with(|filter| filter.to = Some(between));
    assert_eq!(all(&ledger, &to, true, 10).await, early);
}
