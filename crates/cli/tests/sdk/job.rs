//! Jobs: submitted, found and moved.

use jobengine_sdk::wire::job::{JobFilter, NewJob, Priority};
use jobengine_sdk::wire::page::PageQuery;
use serde_json::json;
use uuid::Uuid;

use crate::service::Service;

#[tokio::test]
async fn a_job_is_found_again_by_what_it_was_submitted_with() {
    let service = Service::start().await;
    let client = &service.client;
    let project = service.project().await;
    service
        .made("sources", &json!({"name": "osv", "kind": "osv"}))
        .await;
    let job = NewJob {
        project_id: Some(project),
        source: Some("osv".to_owned()),
        tags: vec!["eu".to_owned(), "nightly".to_owned()],
        correlation_id: Some("c-81".to_owned()),
        priority: Some(Priority::High),
        ..NewJob::new("sdk.test", json!({"n": 1}))
    };
    let plain = NewJob::new("sdk.other", json!({"n": 2}));
    let ids = client.jobs_submit(&[job.clone(), plain]).await.unwrap();
    let [first, second] = ids.job_ids[..] else {
        panic!("{ids:?}")
    };

    let found = client.job(first).await.unwrap();
    assert_eq!(
        (found.project_id, found.source),
        (Some(project), job.source)
    );
    assert_eq!((found.tags, found.priority), (job.tags, "high".to_owned()));
    assert_eq!(
        (found.correlation_id, found.payload),
        ("c-81".to_owned(), Some(json!({"n": 1})))
    );
    let day = Some("2000-01-01T00:00:00Z".to_owned());
    let some = |text: &str| Some(text.to_owned());
    let with = |change: &dyn Fn(&mut JobFilter)| {
        let mut filter = JobFilter::default();
        change(&mut filter);
        filter
    };
    for (filter, expected) in [
        (with(&|_| {}), vec![first, second]),
        (with(&|it| it.newest_first = true), vec![second, first]),
        (with(&|it| it.project_id = Some(project)), vec![first]),
        (with(&|it| it.source = some("osv")), vec![first]),
        (with(&|it| it.tag = some("nightly")), vec![first]),
        (with(&|it| it.tag = some("night")), vec![]),
        (with(&|it| it.correlation_id = some("c-81")), vec![first]),
        (with(&|it| it.text = some("OTHER")), vec![second]),
        (with(&|it| it.job_type = some("sdk.other")), vec![second]),
        (
            with(&|it| it.state = some("leased,queued")),
            vec![first, second],
        ),
        (with(&|it| it.submitted_to.clone_from(&day)), vec![]),
        (
            with(&|it| it.submitted_from.clone_from(&day)),
            vec![first, second],
        ),
    ] {
        let page = client.jobs(&filter, &PageQuery::default()).await.unwrap();
        let jobs: Vec<Uuid> = page.items.iter().map(|job| job.job_id).collect();
        assert_eq!(jobs, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_job_that_waits_is_moved_called_off_and_done_again() {
    let service = Service::start().await;
    let client = &service.client;
    let job = NewJob::new("sdk.other", json!({"n": 2}));
    let second = client.jobs_submit(&[job]).await.unwrap().job_ids[0];
    let moved = client.job_prioritize(second, Priority::Low).await.unwrap();
    assert_eq!((moved.job_id, moved.state.as_str()), (second, "queued"));
    assert_eq!(client.job(second).await.unwrap().priority, "low");
    let why = client.job_explain(second).await.unwrap();
    assert_eq!(
        (why.job_id, why.hold.as_deref()),
        (second, Some("no_worker"))
    );
    assert_eq!(client.job_cancel(second).await.unwrap().canceled, 1);
    assert_eq!(client.job_cancel(second).await.unwrap().canceled, 0);
    let again = client.job_replay(second).await.unwrap();
    assert_eq!(again.replay_of, second);
    let again = client.job(again.job_id).await.unwrap();
    assert_eq!(again.replay_of, Some(second));
}
