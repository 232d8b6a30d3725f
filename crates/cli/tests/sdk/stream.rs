//! What is longer than a request or an answer, and runs.

use jobengine_sdk::wire::job::NewJob;
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::report::{FailureClass, Outcome};
use jobengine_sdk::wire::run::{NewRun, NewRunJob, RunFilter};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn streams_go_both_ways_and_runs_are_found() {
    let service = Service::start().await;
    let client = &service.client;
    let jobs = |count: u32| {
        (0..count).map(|n| NewJob::new(if n == 1 { "no type" } else { "sdk.many" }, json!(n)))
    };
    let mut seen = Vec::new();
    // The same stream under the same key is the same jobs.
    for _ in 0..2 {
        let mut answers = client
            .jobs_stream("sdk-stream-1", jobs(2_500))
            .await
            .unwrap();
        let mut ids = Vec::new();
        while let Some(answer) = answers.next().await.unwrap() {
            if let Some(id) = answer.job_id {
                ids.push(id);
                continue;
            }
            let problem = answer.problem.unwrap();
            assert_eq!((answer.line, problem.code.as_str()), (2, "REQUEST_INVALID"));
        }
        assert_eq!(ids.len(), 2_499);
        seen.push(ids);
    }
    assert_eq!(seen[0], seen[1]);

    let run = NewRun {
        jobs: vec![NewRunJob {
            key: "only".to_owned(),
            job: NewJob::new("sdk.run", json!(1)),
            parents: Vec::new(),
        }],
        ..NewRun::default()
    };
    let run = client.run_start(&run).await.unwrap().run_id;
    let grant = service.claim("sdk.run").await;
    let state = service
        .report(&grant, Outcome::Failed, Some(FailureClass::Policy))
        .await;
    assert_eq!(state, "failed");
    let failed = RunFilter {
        state: Some("failed".to_owned()),
        ..RunFilter::default()
    };
    let page = client.runs(&failed, &PageQuery::default()).await.unwrap();
    assert_eq!(page.items[0].run_id, run);
    let retried = client.run_retry(run).await.unwrap();
    assert_eq!(
        (retried.retry_of, retried.jobs[0].replay_of),
        (run, grant.job_id)
    );
    let letters = client.dead_letters(&PageQuery::default()).await.unwrap();
    assert_eq!(letters.items[0].job_id, grant.job_id);

    // The trail is written as it comes: every line is one of its JSON texts.
    let mut trail = Vec::new();
    let written = client.audit_export(None, None, &mut trail).await.unwrap();
    assert_eq!(written, trail.len() as u64);
    let lines: Vec<Value> = trail
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert!(!lines.is_empty());
}
