//! The metrics of the scheduler, over whole runs; nobody listens for events in any of them.

use jobengine_duties::driver::Duty as _;

use crate::flow::{Flow, advisory};

impl Flow {
    /// The value of one sample, as the scrape writes it.
    fn sample(&self, name: &str) -> String {
        let text = self.registry.render();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("{name} is not in\n{text}"))
            .to_owned()
    }

    fn check(&self, expected: &[(&str, &str)]) {
        for (name, value) in expected {
            assert_eq!(self.sample(name), *value, "{name}");
        }
    }
}

#[tokio::test]
async fn a_run_is_counted_from_its_plan_to_its_completion() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/b@1.0.0"]).await;
    flow.image("two", &["pkg:npm/b@1.0.0"]).await;
    flow.image("three", &["pkg:npm/c@1.0.0"]).await;
    flow.advisories(&[advisory("X-1", "CVE-2024-1", "b", "2.0.0")])
        .await;
    flow.all_in_sight().await;
    while flow.planner.activate().await.unwrap().done == 0 {}
    flow.check(&[
        (
            r#"scheduler_planner_runs_total{mode="analysisOnly",status="enqueued"}"#,
            "1",
        ),
        (
            r#"scheduler_planner_latency_seconds_count{mode="analysisOnly",status="enqueued"}"#,
            "1",
        ),
        (r#"scheduler_runs_active{mode="analysisOnly"}"#, "1"),
        (
            r#"scheduler_runner_backlog{mode="analysisOnly",scheduleId="none"}"#,
            "2",
        ),
        (r#"scheduler_runner_delta_total{mode="analysisOnly"}"#, "0"),
    ]);

    // After every segment the backlog has moved, though the run is not complete.
    flow.evaluate(1).await;
    assert_eq!(flow.completing.activate().await.unwrap().done, 0);
    flow.check(&[
        (r#"scheduler_runs_active{mode="analysisOnly"}"#, "1"),
        (
            r#"scheduler_runner_backlog{mode="analysisOnly",scheduleId="none"}"#,
            "1",
        ),
        (
            r#"scheduler_runner_segments_total{mode="analysisOnly",status="Completed"}"#,
            "0",
        ),
    ]);

    flow.evaluate(100).await;
    assert_eq!(flow.completing.activate().await.unwrap().done, 1);
    flow.check(&[
        (r#"scheduler_runs_active{mode="analysisOnly"}"#, "0"),
        (
            r#"scheduler_runner_backlog{mode="analysisOnly",scheduleId="none"}"#,
            "0",
        ),
        (
            r#"scheduler_runner_segments_total{mode="analysisOnly",status="Completed"}"#,
            "2",
        ),
        (
            r#"scheduler_runner_segments_total{mode="analysisOnly",status="persist_failed"}"#,
            "0",
        ),
        (
            r#"scheduler_runner_images_total{mode="analysisOnly",delta="true"}"#,
            "2",
        ),
        (
            r#"scheduler_runner_images_total{mode="analysisOnly",delta="false"}"#,
            "1",
        ),
        (r#"scheduler_runner_delta_total{mode="analysisOnly"}"#, "2"),
        (
            r#"scheduler_runner_delta_critical_total{mode="analysisOnly"}"#,
            "2",
        ),
        (
            r#"scheduler_runner_delta_high_total{mode="analysisOnly"}"#,
            "0",
        ),
        (
            r#"scheduler_runner_delta_kev_total{mode="analysisOnly"}"#,
            "0",
        ),
        (
            r#"scheduler_run_duration_seconds_count{mode="analysisOnly",result="succeeded"}"#,
            "1",
        ),
    ]);

    // The same run again, now for an advisory that no longer hits: nothing is new.
    flow.advisories(&[advisory("X-1", "CVE-2024-1", "b", "0.5.0")])
        .await;
    flow.turn().await.expect("two images are looked at");
    flow.check(&[
        (r#"scheduler_runner_delta_total{mode="analysisOnly"}"#, "2"),
        (
            r#"scheduler_runner_images_total{mode="analysisOnly",delta="true"}"#,
            "4",
        ),
    ]);
}

#[tokio::test]
async fn no_work_takes_no_time_and_is_no_active_run() {
    let flow = Flow::open().await;
    flow.advisories(&[advisory("X-1", "CVE-2024-1", "b", "2.0.0")])
        .await;
    assert!(flow.turn().await.is_none(), "there is no image");
    flow.check(&[
        (
            r#"scheduler_planner_runs_total{mode="analysisOnly",status="no_work"}"#,
            "1",
        ),
        (
            r#"scheduler_planner_runs_total{mode="analysisOnly",status="enqueued"}"#,
            "0",
        ),
        (
            r#"scheduler_planner_latency_seconds_count{mode="analysisOnly",status="no_work"}"#,
            "1",
        ),
        (
            r#"scheduler_planner_latency_seconds_sum{mode="analysisOnly",status="no_work"}"#,
            "0.0",
        ),
        (r#"scheduler_runs_active{mode="analysisOnly"}"#, "0"),
    ]);
}

#[tokio::test]
async fn a_result_that_cannot_be_used_is_not_kept() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/b@1.0.0"]).await;
    flow.advisories(&[advisory("X-1", "CVE-2024-1", "b", "2.0.0")])
        .await;
    flow.all_in_sight().await;
    while flow.planner.activate().await.unwrap().done == 0 {}
    flow.evaluate_with(100, |_| b"not what a segment says".to_vec())
        .await;
    assert_eq!(flow.completing.activate().await.unwrap().done, 1);
    flow.check(&[
        (
            r#"scheduler_runner_segments_total{mode="analysisOnly",status="Completed"}"#,
            "0",
        ),
        (
            r#"scheduler_runner_segments_total{mode="analysisOnly",status="persist_failed"}"#,
            "1",
        ),
        (r#"scheduler_runner_delta_total{mode="analysisOnly"}"#, "0"),
    ]);
}
