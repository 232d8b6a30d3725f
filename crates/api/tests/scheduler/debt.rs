//! What a run left out, as a reader sees it and an operator has it done.

use jobengine_domain::class::FailureClass;
use jobengine_domain::id::{JobId, RunId};
use jobengine_domain::priority::Priority;
use jobengine_domain::state::Report;
use jobengine_impact::debt::Debt;
use jobengine_impact::evaluate::Scope;
use jobengine_store::{Completion, DebtRecord, JobReport};

use crate::facts::image;
use crate::impact_run::{claim, planned};
use crate::service::Service;

/// A run whose two segments failed, completed as the duty does it; its jobs.
async fn failed() -> (Service, RunId, Vec<JobId>) {
    let (service, run) = planned().await;
    let grants = claim(&service).await;
    let tx = service.store.begin(&service.caller).await.unwrap();
    let reports: Vec<JobReport> = grants
        .iter()
        .map(|grant| JobReport {
            job: grant.job,
            token: grant.token,
            report: Report::Failed {
                class: FailureClass::Policy,
                retry_after_ms: None,
            },
            detail: None,
            result: None,
        })
        .collect();
    tx.jobs_complete(&reports).await.unwrap();
    tx.commit().await.unwrap();

    let tx = service.store.begin(&service.caller).await.unwrap();
    let debt = |number| DebtRecord {
        debt: Debt::left(image(number), Scope::All, 1, Priority::High, "failed"),
        opened_at: tx.now(),
        due_at: tx.now().plus_ms(3_600_000),
        paid_by: None,
    };
    let completion = Completion {
        delta: r#"{"new":0,"fixed":0,"critical":0,"high":0,"kev":0}"#.to_owned(),
        deltas: "[]".to_owned(),
        envelope: "{}".to_owned(),
        evaluated: Vec::new(),
        not_evaluated: 2,
        debts: vec![debt(1), debt(2)],
        left: 2,
        paid: Vec::new(),
    };
    tx.completion_save(run, &completion).await.unwrap();
    tx.commit().await.unwrap();
    (service, run, grants.iter().map(|grant| grant.job).collect())
}

#[tokio::test]
async fn what_a_run_left_out_is_told_and_done_again_on_demand() {
    let (service, run, _) = failed().await;
    let shown = service.get(&format!("/runs/{run}")).await.ok(200);
    assert_eq!(
        (
            &shown["state"],
            &shown["result"],
            &shown["imagesNotEvaluated"],
            &shown["imagesOwed"]
        ),
        (&"completed".into(), &"failed".into(), &2.into(), &2.into())
    );
    let owed = service.get("/debts").await.ok(200);
    let first = &owed["items"][0];
    assert_eq!(owed["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&first["reason"], &first["tries"]),
        (&"failed".into(), &1.into())
    );
    assert!(first.get("packages").is_none() && first.get("runId").is_none());

    let retry = format!("/runs/{run}:retry");
    let again = service.operate(&retry).await.ok(201);
    let paying = again["runId"].as_str().unwrap();
    assert_ne!(paying, run.to_string());
    let owed = service.get("/debts").await.ok(200);
    assert_eq!(owed["items"][0]["runId"], paying);
    let grants = claim(&service).await;
    assert!(!grants.is_empty());
    let tx = service.store.begin(&service.caller).await.unwrap();
    let segments = tx.segments_get(grants[0].run.unwrap(), None).await.unwrap();
    drop(tx);
    let images: usize = segments.iter().map(|segment| segment.images.len()).sum();
    assert_eq!(
        (grants[0].run.unwrap().to_string().as_str(), images),
        (paying, 2)
    );

    let twice = service.operate(&retry).await;
    assert_eq!(twice.problem(), (409, "CONFLICT", ""));
    let detail = twice.body["detail"].as_str().unwrap();
    assert!(detail.contains(paying), "{detail}");
}

#[tokio::test]
async fn a_segment_is_not_repeated_outside_of_its_run() {
    let (service, _, jobs) = failed().await;
    let refused = service.operate(&format!("/jobs/{}:replay", jobs[0])).await;
    assert_eq!(refused.problem(), (409, "CONFLICT", ""));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("retry of the run"), "{detail}");
}
