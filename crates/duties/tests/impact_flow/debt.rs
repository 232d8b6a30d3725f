//! What a run leaves out is evaluated after all.

use jobengine_domain::class::FailureClass;
use jobengine_domain::state::Report;
use jobengine_duties::driver::Duty as _;
use jobengine_store::{DebtRecord, ImpactRunRecord, JobReport};

use crate::flow::{Flow, advisory};

const HOUR_MS: i64 = 3_600_000;

impl Flow {
    /// Takes up to `max` segments and reports that they cannot be done.
    pub(super) async fn fail(&self, max: usize) -> usize {
        let grants = self.claim(max).await;
        for grant in &grants {
            let report = JobReport {
                job: grant.job,
                token: grant.token,
                report: Report::Failed {
                    class: FailureClass::Policy,
                    retry_after_ms: None,
                },
                detail: None,
                result: None,
            };
            let tx = self.store.begin(&self.caller).await.unwrap();
            tx.jobs_complete(&[report]).await.unwrap();
            tx.commit().await.unwrap();
        }
        grants.len()
    }

    /// Calls off the newest run that has not completed.
    pub(super) async fn cancel(&self) {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let runs = tx.impact_run_list(None, 100).await.unwrap();
        if let Some(open) = runs.iter().find(|run| run.completed_at.is_none()) {
            tx.run_cancel(open.id).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(super) async fn plan(&self) {
        self.all_in_sight().await;
        self.planner.activate().await.unwrap();
    }

    pub(super) async fn complete(&self) {
        while self.completing.activate().await.unwrap().done > 0 {}
    }

    pub(super) async fn debts(&self) -> Vec<DebtRecord> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.debt_list(None, 500).await.unwrap()
    }

    pub(super) async fn runs(&self) -> Vec<ImpactRunRecord> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.impact_run_list(None, 100).await.unwrap()
    }

    /// What the gauges show.
    async fn shown(&self) -> Vec<(&'static str, u64)> {
        self.store.gauges().await.unwrap().debts
    }

    async fn findings(&self) -> usize {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let packages = ["a", "b"].map(|name| format!("npm/{name}").parse().unwrap());
        let found = tx.findings_get(&packages.into()).await.unwrap();
        usize::try_from(found.count()).unwrap()
    }

    /// Three images that were evaluated, and an advisory that hits them and is planned.
    async fn three_are_hit(&self) {
        for name in ["one", "two", "three"] {
            self.image(name, &["pkg:npm/b@1.0.0"]).await;
        }
        self.turn().await.expect("the images are new");
        self.advisories(&[advisory("X-1", "CVE-2024-1", "b", "2.0.0")])
            .await;
        self.plan().await;
    }
}

#[tokio::test]
async fn what_a_failed_run_left_out_is_evaluated_by_itself() {
    let (flow, clock) = Flow::timed().await;
    flow.three_are_hit().await;
    assert_eq!(flow.fail(10).await, 2);
    flow.complete().await;
    let failed = &flow.runs().await[0];
    assert_eq!(
        (
            failed.result.as_deref(),
            failed.images_not_evaluated,
            failed.images_owed
        ),
        (Some("failed"), Some(3), 3)
    );
    let debts = flow.debts().await;
    assert!(debts.iter().all(|it| it.debt.reason == "failed"));
    assert_eq!(flow.shown().await, [("waiting", 3), ("paying", 0)]);

    // Not before its time.
    flow.plan().await;
    assert_eq!(flow.runs().await.len(), 2);
    clock.step_ms(60_000);
    flow.plan().await;
    assert_eq!(flow.shown().await, [("waiting", 0), ("paying", 3)]);
    assert_eq!(flow.evaluate(10).await.len(), 2);
    flow.complete().await;
    let runs = flow.runs().await;
    assert_eq!(
        (runs[0].generation, runs[0].delta.unwrap().new, runs.len()),
        (3, 3, 3)
    );
    assert_eq!(
        (runs[1].images_not_evaluated, runs[1].images_owed),
        (Some(3), 0)
    );
    assert_eq!(runs[0].priority, "high");
    assert_eq!(flow.shown().await, [("waiting", 0), ("paying", 0)]);
    assert_eq!((flow.findings().await, flow.debts().await.len()), (3, 0));
}

#[tokio::test]
async fn what_a_canceled_run_left_out_is_evaluated_by_itself() {
    let (flow, clock) = Flow::timed().await;
    flow.three_are_hit().await;
    // One segment is held by a worker, the other one waits.
    assert_eq!(flow.claim(1).await.len(), 1);
    flow.cancel().await;
    flow.complete().await;
    let canceled = &flow.runs().await[0];
    assert_eq!(
        (canceled.result.as_deref(), canceled.images_owed),
        (Some("canceled"), 3)
    );
    clock.step_ms(HOUR_MS);
    flow.plan().await;
    flow.evaluate(10).await;
    flow.complete().await;
    assert_eq!((flow.findings().await, flow.debts().await.len()), (3, 0));
}

#[tokio::test]
async fn a_segment_that_fails_again_and_again_is_cut_smaller_and_tried_for_ever() {
    let (flow, clock) = Flow::timed().await;
    flow.three_are_hit().await;
    let mut segments = Vec::new();
    for tries in 1..=9_u32 {
        segments.push(flow.fail(10).await);
        flow.complete().await;
        let debts = flow.debts().await;
        assert!(debts.iter().all(|it| it.debt.tries == tries), "{debts:?}");
        let waits = debts[0].due_at.ms_since(clock.now());
        let least = (30_000 << (tries - 1)).min(3_600_000);
        assert!((least..=least * 5 / 4).contains(&waits), "{tries}: {waits}");
        clock.step_ms(2 * HOUR_MS);
        flow.plan().await;
    }
    assert_eq!(segments, [2, 2, 3, 3, 3, 3, 3, 3, 3]);
    flow.evaluate(10).await;
    flow.complete().await;
    assert_eq!((flow.findings().await, flow.debts().await.len()), (3, 0));
}

#[tokio::test]
async fn an_image_that_left_the_fleet_is_owed_nothing() {
    let (flow, clock) = Flow::timed().await;
    flow.three_are_hit().await;
    flow.fail(10).await;
    flow.complete().await;
    let gone = flow.debts().await[0].debt.image;
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    tx.image_remove(gone).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(flow.debts().await.len(), 2);
    clock.step_ms(HOUR_MS);
    flow.plan().await;
    flow.evaluate(10).await;
    flow.complete().await;
    assert_eq!((flow.findings().await, flow.debts().await.len()), (2, 0));
}
