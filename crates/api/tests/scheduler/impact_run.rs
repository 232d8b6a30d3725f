//! An impact run from its segments to its findings, as a worker and a reader see it.

use std::collections::{BTreeMap, BTreeSet};

use jobengine_domain::canon::{canonical, canonical_digest};
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::SigningKey;
use jobengine_domain::id::{RunId, SessionId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::priority::Priority;
use jobengine_domain::statement::STATEMENT_PAYLOAD_TYPE;
use jobengine_impact::completion::ImageDelta;
use jobengine_impact::evaluate::{Finding, evaluate};
use jobengine_impact::finding::FindingSets;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::plan::{Plan, PlanInput, plan};
use jobengine_impact::segment::SegmentSize;
use jobengine_impact::segment_input::SegmentInput;
use jobengine_impact::severity::Severity;
use jobengine_impact::summary::DeltaSummary;
use jobengine_store::{Completion, Grant, NewJob, NewRun, PlanFacts, TypeClaim, WorkerSession};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::facts::{advisory, image, kev, lines, sbom};
use crate::service::{Answer, Service, send};

const SESSION: SessionId = SessionId(Uuid::from_u128(0x51));

/// Two images, two flaws, and a run over all of it in two segments.
pub(crate) async fn planned() -> (Service, RunId) {
    let service = Service::start().await;
    for (number, purls) in [
        (1, ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]),
        (2, ["pkg:npm/a@1.0.0", "pkg:npm/b@9.0.0"]),
    ] {
        let path = format!("/sboms?image={}&repository=r/{number}", image(number));
        service.post(&path, sbom(&purls)).await.ok(201);
    }
    let mut exploited = advisory("GHSA-1", "a", "2.0.0", "CRITICAL");
    exploited["aliases"] = json!(["CVE-2024-1"]);
    let records = [exploited, advisory("GHSA-2", "b", "2.0.0", "LOW")];
    service
        .post("/advisories?source=osv&mode=snapshot", lines(&records))
        .await
        .ok(200);
    service.post("/kev", kev(&["CVE-2024-1"])).await.ok(200);
    let run = create(&service, &[image(1), image(2)].into()).await;
    (service, run)
}

pub(crate) async fn create(service: &Service, images: &BTreeSet<Digest>) -> RunId {
    let plan: Plan = plan(&PlanInput {
        full: images,
        scoped: &BTreeSet::new(),
        packages: &BTreeSet::new(),
        fleet: 2,
        worst: Severity::Critical,
        kev: true,
        floor: Priority::Low,
        size: SegmentSize::new(1).unwrap(),
    });
    let jobs: Vec<NewJob> = plan
        .segments
        .iter()
        .map(|segment| NewJob {
            key: format!("segment-{}", segment.ordinal),
            payload: json!({"ordinal": segment.ordinal, "scopeAll": true}).to_string(),
            ..job()
        })
        .collect();
    let run = NewRun {
        trigger: "delta".to_owned(),
        project: None,
        source: None,
        correlation_id: "c".to_owned(),
        traceparent: None,
    };
    let facts = PlanFacts {
        images_impacted: 2,
        images_total: 2,
        advisories_changed: 2,
    };
    let tx = service.store.begin(&service.caller).await.unwrap();
    let id = tx
        .impact_run_create(&run, &plan, facts, &jobs)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

fn job() -> NewJob {
    NewJob {
        key: String::new(),
        job_type: "impact.evaluate".to_owned(),
        priority: Priority::High,
        payload: "{}".to_owned(),
        max_attempts: 5,
        max_crashes: 3,
        not_before: None,
        deadline: None,
        correlation_id: "c".to_owned(),
        project: None,
        source: None,
        tags: Vec::new(),
        traceparent: None,
        replay_of: None,
        parents: Vec::new(),
    }
}

pub(crate) async fn claim(service: &Service) -> Vec<Grant> {
    let tx = service.store.begin(&service.caller).await.unwrap();
    let session = WorkerSession {
        id: SESSION,
        worker: "w".to_owned(),
        subject: "system".to_owned(),
        slots: None,
    };
    let lease = LeaseMs::new(30_000).unwrap();
    tx.sessions_open(&[session], lease).await.unwrap();
    tx.lease_promote(&["impact.evaluate"], 10).await.unwrap();
    let grants = tx
        .lease_claim(&[TypeClaim::of("impact.evaluate", &[SESSION; 10])])
        .await
        .unwrap()
        .concat();
    tx.commit().await.unwrap();
    grants
}

async fn segment(service: &Service, grant: &Grant, token: Uuid) -> Answer {
    let path = format!("/segments/{}", grant.job);
    send(
        service
            .request(Method::GET, &path)
            .header("X-Lease-Token", token.to_string()),
    )
    .await
}

#[tokio::test]
async fn a_segment_is_read_under_its_lease_only() {
    let (service, run) = planned().await;
    let grants = claim(&service).await;
    assert_eq!(grants.len(), 2);
    let (own, foreign) = (grants[0].token.reveal(), grants[1].token.reveal());
    let body = segment(&service, &grants[0], own).await.ok(200);
    let input: SegmentInput = serde_json::from_value(body).unwrap();
    assert_eq!(
        (input.run_id, input.ordinal, input.images.len()),
        (run, 0, 1)
    );
    assert_eq!((input.components.len(), input.advisories.len()), (2, 2));
    assert_eq!(input.kev.entries.len(), 1);
    for token in [foreign, Uuid::from_u128(7)] {
        let answer = segment(&service, &grants[0], token).await;
        assert_eq!(answer.problem(), (409, "LEASE_LOST", ""));
    }
    // The same input for ever, whatever came since.
    let newer = advisory("GHSA-1", "a", "3.0.0", "LOW").to_string();
    service
        .post("/advisories?source=osv&mode=snapshot", newer)
        .await
        .ok(200);
    service.post("/kev", kev(&[])).await.ok(200);
    let again = segment(&service, &grants[0], own).await.ok(200);
    assert_eq!(again, serde_json::to_value(&input).unwrap());

    let service = service.acting_as_others();
    assert_eq!(
        segment(&service, &grants[0], own).await.problem(),
        (409, "LEASE_LOST", "")
    );
}

#[tokio::test]
async fn a_job_that_is_no_segment_has_no_input() {
    let service = Service::start().await;
    let tx = service.store.begin(&service.caller).await.unwrap();
    tx.jobs_submit(None, &[job()]).await.unwrap();
    tx.commit().await.unwrap();
    let grant = claim(&service).await.remove(0);
    let answer = segment(&service, &grant, grant.token.reveal()).await;
    assert_eq!(answer.problem(), (404, "NOT_FOUND", ""));
}

/// Evaluates every segment and completes the run, as the completing duty does. Returns the envelope.
pub(crate) async fn complete(service: &Service, run: RunId) -> String {
    let mut findings: Vec<Finding> = Vec::new();
    for grant in claim(service).await {
        let body = segment(service, &grant, grant.token.reveal()).await.ok(200);
        let input: SegmentInput = serde_json::from_value(body).unwrap();
        let (matcher, scope) = (Matcher::new(&input.advisories), input.scope.clone());
        let (kev, vex) = (input.kev.clone(), input.vex.clone());
        let images = input.into_images().unwrap();
        let subjects = images
            .iter()
            .map(jobengine_impact::segment_input::SegmentSubject::input);
        findings.extend(evaluate(subjects, &scope, &matcher, &kev, &vex).findings);
    }
    let tx = service.store.begin(&service.caller).await.unwrap();
    let images = tx.run_images(run).await.unwrap();
    let named: Vec<(String, u32)> = images
        .iter()
        .map(|it| (it.digest.to_string(), it.number))
        .collect();
    let numbers: BTreeMap<&str, u32> = named
        .iter()
        .map(|(name, number)| (name.as_str(), *number))
        .collect();
    let (before, mut after) = (FindingSets::default(), FindingSets::default());
    after.replace(&numbers, &jobengine_impact::evaluate::Scope::All, &findings);
    tx.findings_replace(&before, &after).await.unwrap();
    let by_image = DeltaSummary::by_image(&before, &after);
    let deltas: Vec<ImageDelta> = images
        .iter()
        .map(|image| ImageDelta {
            image: image.digest,
            delta: by_image.get(&image.number).copied().unwrap_or_default(),
        })
        .collect();
    let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let envelope = text(canonical(&key.sign(STATEMENT_PAYLOAD_TYPE, b"{}")).unwrap());
    let completion = Completion {
        delta: text(canonical(&DeltaSummary::between(&before, &after)).unwrap()),
        deltas: text(canonical(&deltas).unwrap()),
        envelope: envelope.clone(),
        evaluated: images
            .iter()
            .map(|image| (image.digest, image.pinned))
            .collect(),
        not_evaluated: 0,
        debts: Vec::new(),
        left: 0,
        paid: Vec::new(),
    };
    tx.completion_save(run, &completion).await.unwrap();
    tx.commit().await.unwrap();
    envelope
}

#[tokio::test]
async fn a_completed_run_shows_its_deltas_and_its_proof() {
    let (service, run) = planned().await;
    let path = format!("/runs/{run}");
    let running = service.get(&path).await.ok(200);
    assert_eq!(
        (&running["state"], &running["segments"]),
        (&json!("running"), &json!(2))
    );
    assert_eq!(
        (running.get("delta"), running.get("completedAt")),
        (None, None)
    );
    let early = service.get(&format!("{path}/completion")).await;
    assert_eq!(early.problem(), (404, "NOT_FOUND", ""));

    let envelope = complete(&service, run).await;
    let done = service.get(&path).await.ok(200);
    let delta = json!({"new": 3, "fixed": 0, "critical": 2, "high": 0, "kev": 2});
    assert_eq!(
        (&done["state"], &done["delta"]),
        (&json!("completed"), &delta)
    );
    let deltas = service.get(&format!("{path}/deltas")).await.ok(200);
    assert_eq!(deltas["delta"], delta);
    let counts = |number: u8| {
        let images = deltas["images"].as_array().unwrap().iter();
        let mut own = images.filter(|item| item["image"] == image(number).to_string());
        own.next().unwrap()["new"].as_u64().unwrap()
    };
    assert_eq!((counts(1), counts(2)), (2, 1));
    let response = service
        .request(Method::GET, &format!("{path}/completion"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), envelope, "byte for byte");
    let keys = service.get("/keys").await.ok(200);
    let signed: Value = serde_json::from_str(&envelope).unwrap();
    assert_eq!(keys["keys"][0]["keyId"], signed["signatures"][0]["keyid"]);
    assert_eq!(service.get("/runs").await.ok(200)["items"], json!([done]));
}

#[tokio::test]
async fn the_inputs_have_the_digest_that_is_signed() {
    let (service, run) = planned().await;
    let record = service.get(&format!("/runs/{run}")).await.ok(200);
    let mut items: Vec<Value> = Vec::new();
    let mut query = String::new();
    loop {
        let page = service
            .get(&format!("/runs/{run}/inputs?limit=2{query}"))
            .await
            .ok(200);
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(token) = page["continuationToken"].as_str() else {
            break;
        };
        query = format!("&continuationToken={token}");
    }
    let kinds: Vec<&str> = items
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["advisory", "advisory", "image", "image", "kev"]);
    let digest = canonical_digest(&items).unwrap();
    assert_eq!(record["inputsDigest"], digest.to_string());
}

#[tokio::test]
async fn findings_are_listed_by_image_and_by_package() {
    let (service, run) = planned().await;
    let before = service
        .get(&format!("/findings?image={}", image(1)))
        .await
        .ok(200);
    assert_eq!(before["items"], json!([]));
    complete(&service, run).await;
    let own = service
        .get(&format!("/findings?image={}", image(1)))
        .await
        .ok(200);
    assert_eq!(
        own["items"],
        json!([
            {"image": image(1), "purl": "pkg:npm/a@1.0.0", "package": "npm/a", "sourceAssumed": false, "group": "CVE-2024-1",
                "advisories": ["GHSA-1"], "severity": "critical", "kev": true},
            {"image": image(1), "purl": "pkg:npm/b@1.0.0", "package": "npm/b", "sourceAssumed": false, "group": "GHSA-2",
                "advisories": ["GHSA-2"], "severity": "low", "kev": false},
        ])
    );
    let wide = service.get("/findings?package=npm/a").await.ok(200);
    assert_eq!(wide["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&wide["items"][0]["images"], wide["items"][0].get("image")),
        (&json!(2), None)
    );
    let shown = service.get(&format!("/images/{}", image(2))).await.ok(200);
    assert_eq!(shown["findings"], 1);

    let first = service
        .get(&format!("/findings?image={}&limit=1", image(1)))
        .await
        .ok(200);
    let token = first["continuationToken"].as_str().unwrap();
    let path = format!(
        "/findings?image={}&limit=1&continuationToken={token}",
        image(1)
    );
    let second = service.get(&path).await.ok(200);
    assert_eq!(json!([first["items"][0], second["items"][0]]), own["items"]);
}
