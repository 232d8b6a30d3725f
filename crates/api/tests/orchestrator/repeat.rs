//! Reports, claims and heartbeats that are repeated: each gets its own answer, and nothing happens twice.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::service::{Person, SESSION, Service, job, report, send};

async fn keyed_claim(ours: &Person, key: &str, max: u32, wait_ms: u32) -> (u16, Vec<Value>, bool) {
    let claim = json!({
        "sessionId": SESSION, "worker": "w", "types": ["t"], "max": max, "waitMs": wait_ms,
    });
    let answer = ours.post_keyed("/worker/claim", key, &claim).await;
    let grants = answer.body["grants"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let request = ours.request(reqwest::Method::GET, "/jobs?limit=1");
    drop(send(request).await);
    (answer.status, grants, answer.body["grants"].is_array())
}

#[tokio::test]
async fn a_report_that_contradicts_the_first_one_is_refused() {
    let service = Service::start().await;
    let ours = service.ours();
    let failed = |grant: &Value, class: &str| {
        let mut report = report(grant, "failed");
        report["class"] = json!(class);
        report
    };
    ours.submit(json!([job(), job(), job()])).await;
    let grants = ours.claim(3, 0).await;
    // Of two in one request the first counts.
    let first = json!([
        report(&grants[0], "succeeded"),
        failed(&grants[0], "network")
    ]);
    let results = ours.complete(first).await.ok(200)["results"].clone();
    assert_eq!(
        (&results[0]["accepted"], &results[0]["state"]),
        (&json!(true), &json!("succeeded"))
    );
    assert_eq!(
        (&results[1]["accepted"], &results[1]["state"]),
        (&json!(false), &json!("succeeded"))
    );
    assert_eq!(results[1]["problem"]["code"], "REPORT_CONFLICT");
    ours.complete(json!([failed(&grants[1], "network")]))
        .await
        .ok(200);
    let mut with_detail = report(&grants[0], "succeeded");
    with_detail["detail"] = json!("other words");
    let mut with_result = report(&grants[0], "succeeded");
    with_result["result"] = json!({"n": 2});
    let mut later = failed(&grants[1], "network");
    later["retryAfterMs"] = json!(5);
    for (contradiction, state) in [
        (failed(&grants[0], "network"), "succeeded"),
        (report(&grants[0], "released"), "succeeded"),
        (with_detail, "succeeded"),
        (with_result, "succeeded"),
        (report(&grants[1], "succeeded"), "queued"),
        (failed(&grants[1], "upstream"), "queued"),
        (later, "queued"),
    ] {
        let refused = ours.complete(json!([contradiction])).await;
        assert_eq!(
            refused.problem(),
            (409, "REPORT_CONFLICT"),
            "{contradiction}"
        );
        let among = json!([contradiction, report(&grants[2], "succeeded")]);
        let results = ours.complete(among).await.ok(200)["results"].clone();
        assert_eq!(results[0]["accepted"], false, "{contradiction}");
        assert_eq!(results[0]["state"], state, "{contradiction}");
        assert_eq!(results[1]["accepted"], true);
    }
    // What is true is repeated as often as one likes.
    for _ in 0..3 {
        let again = json!([
            report(&grants[0], "succeeded"),
            failed(&grants[1], "network")
        ]);
        let results = ours.complete(again).await.ok(200)["results"].clone();
        assert_eq!(
            (&results[0]["accepted"], &results[0]["state"]),
            (&json!(true), &json!("succeeded"))
        );
        assert_eq!(
            (&results[1]["accepted"], &results[1]["state"]),
            (&json!(true), &json!("queued"))
        );
    }
    let id = grants[0]["jobId"].as_str().unwrap();
    assert_eq!(ours.state(id).await, "succeeded");
}

/// REPORT-1: of all reports under one lease the first one counts; its repeats get its answer, all others are refused.
#[tokio::test(flavor = "multi_thread")]
async fn of_reports_under_one_lease_the_first_counts_and_its_repeats_alone_are_accepted() {
    let [one, two] = Service::replicas().await;
    let persons = [one.ours(), two.ours()];
    let said = (0..3_usize, 0..3_usize, 0..2_usize).prop_map(|(outcome, class, detail)| {
        let outcomes = ["succeeded", "failed", "released"];
        let mut report = json!({"outcome": (outcomes[outcome])});
        if outcome == 1 {
            let classes = ["network", "upstream", "internal"];
            report["class"] = json!(classes[class]);
        }
        if detail == 1 {
            report["detail"] = json!("why");
        }
        report
    });
    let mut runner = TestRunner::new(Config::with_cases(24));
    let handle = tokio::runtime::Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&vec((said, 0..2_usize), 2..8), |reports| {
            handle.block_on(async {
                persons[0].submit(json!([job()])).await;
                let grant = persons[0].claim(1, 5_000).await.remove(0);
                let first = &reports[0].0;
                for (said, replica) in &reports {
                    let mut report = said.clone();
                    report["jobId"] = grant["jobId"].clone();
                    report["leaseToken"] = grant["leaseToken"].clone();
                    let answer = persons[*replica].complete(json!([report])).await;
                    if said == first {
                        let answer = answer.ok(200);
                        prop_assert_eq!(&answer["results"][0]["accepted"], &json!(true));
                    } else {
                        prop_assert_eq!(answer.problem(), (409, "REPORT_CONFLICT"));
                    }
                }
                // Nothing is left for the next case.
                one.sql("DELETE FROM orch.ready; DELETE FROM orch.delayed")
                    .await;
                Ok(())
            })
        })
    });
    outcome.unwrap();
}

#[tokio::test]
async fn every_claim_can_be_repeated_not_the_last_one_alone() {
    let [one, two] = Service::replicas().await;
    let (ours, there) = (one.ours(), two.ours());
    ours.submit(json!(vec![job(); 6])).await;
    let ids = |grants: &[Value]| {
        grants
            .iter()
            .map(|it| it["leaseToken"].clone())
            .collect::<Vec<_>>()
    };
    let mut first = Vec::new();
    for key in ["claim-1", "claim-2", "claim-3"] {
        let (status, grants, _) = keyed_claim(&ours, key, 1, 0).await;
        assert_eq!((status, grants.len()), (200, 1));
        first.push(ids(&grants));
    }
    for person in [&ours, &there] {
        for (at, key) in ["claim-1", "claim-2", "claim-3"].into_iter().enumerate() {
            let (status, grants, _) = keyed_claim(person, key, 1, 0).await;
            assert_eq!((status, ids(&grants)), (200, first[at].clone()), "{key}");
        }
    }
    let waiting = one.text("SELECT count(*)::text FROM orch.ready").await;
    assert_eq!(waiting, "3", "no repeat took another job");
    // What has ended meanwhile is not handed out again, and nothing else is.
    let (_, grants, _) = keyed_claim(&ours, "claim-2", 1, 0).await;
    ours.complete(json!([report(&grants[0], "succeeded")]))
        .await
        .ok(200);
    let (status, grants, _) = keyed_claim(&there, "claim-2", 1, 0).await;
    assert_eq!((status, grants.len()), (200, 0));
    // Another claim under the same key is refused.
    let (status, ..) = keyed_claim(&ours, "claim-1", 2, 0).await;
    assert_eq!(status, 422);
    assert_eq!(one.text("SELECT count(*)::text FROM orch.ready").await, "3");
}

#[tokio::test]
async fn a_claim_that_is_repeated_while_it_waits_is_granted_once() {
    let [one, two] = Service::replicas().await;
    for (first, second) in [(one.ours(), one.ours()), (one.ours(), two.ours())] {
        let waiting = tokio::spawn(async move { keyed_claim(&first, "waits", 1, 8_000).await });
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        let repeat = tokio::spawn(async move { keyed_claim(&second, "waits", 1, 8_000).await });
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        one.ours().submit(json!([job(), job()])).await;
        let (one_answer, other) = (waiting.await.unwrap(), repeat.await.unwrap());
        let tokens: std::collections::BTreeSet<String> = [&one_answer, &other]
            .iter()
            .flat_map(|(_, grants, _)| grants.iter().map(|it| it["leaseToken"].to_string()))
            .collect();
        assert_eq!(tokens.len(), 1, "{one_answer:?} {other:?}");
        one.sql("DELETE FROM orch.ready; DELETE FROM orch.lease; DELETE FROM orch.idempotency")
            .await;
    }
}

#[tokio::test]
async fn a_heartbeat_that_is_repeated_is_answered_by_what_is_held_now() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job(), job()])).await;
    let grants = ours.claim(2, 0).await;
    let held: Vec<Value> = grants
        .iter()
        .map(|grant| json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"]}))
        .collect();
    let beat = json!({"sessionId": SESSION, "leases": held});
    let first = ours.post("/worker/heartbeat", &beat).await.ok(200);
    assert_eq!(ours.post("/worker/heartbeat", &beat).await.ok(200), first);
    ours.complete(json!([report(&grants[0], "succeeded")]))
        .await
        .ok(200);
    let later = ours.post("/worker/heartbeat", &beat).await.ok(200);
    assert_eq!(
        later["directives"].as_array().unwrap().len(),
        2,
        "{later:#}"
    );
    assert_ne!(
        later, first,
        "what has ended is lost to a late repeat, and comes not back"
    );
    let id = grants[0]["jobId"].as_str().unwrap();
    assert_eq!(ours.state(id).await, "succeeded");
}
