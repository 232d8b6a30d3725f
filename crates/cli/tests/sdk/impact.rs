//! The scheduler through the SDK: documents in, what a run left out back.

use std::time::{Duration, Instant};

use jobengine_sdk::Document;
use jobengine_sdk::wire::intake::SbomSubject;
use jobengine_sdk::wire::page::PageQuery;
use jobengine_sdk::wire::report::{FailureClass, Outcome};
use serde_json::json;

use crate::service::{PATIENCE, Service};

const IMAGE: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

#[tokio::test]
async fn documents_have_locations_and_what_a_run_left_is_owed() {
    let service = Service::start().await;
    let client = &service.client;
    let vex = |package: &str| {
        let document = json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "v", "timestamp": "2026-01-01T00:00:00Z",
            "statements": [{"vulnerability": {"name": "CVE-2026-1"}, "products": [{"@id": package}], "status": "fixed"}]});
        Document::bytes(document.to_string())
    };
    for (location, package) in [("a.json", "pkg:npm/a"), ("b.json", "pkg:npm/b")] {
        let stored = client.vex_put("hub", Some(location), vex(package)).await;
        let stored = stored.unwrap();
        assert_eq!(
            (stored.location.as_str(), stored.replaced),
            (location, None)
        );
    }
    let other = client.vex_put("hub", Some("a.json"), vex("pkg:npm/c"));
    let replaced = other.await.unwrap().replaced.unwrap();
    assert_eq!(replaced.document, "v");

    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.5",
        "components": [{"type": "library", "purl": "pkg:npm/a@1.0.0"}]});
    let subject = SbomSubject {
        image: Some(IMAGE.to_owned()),
        ..SbomSubject::default()
    };
    let sbom = Document::bytes(sbom.to_string());
    client.sbom_put(&subject, sbom).await.unwrap();
    let grant = service.claim("impact.evaluate").await;
    let state = service.report(&grant, Outcome::Failed, Some(FailureClass::Policy));
    assert_eq!(state.await, "failed");
    let started = Instant::now();
    let run = loop {
        let runs = client.impact_runs(&PageQuery::default()).await.unwrap();
        if runs.items[0].completed_at.is_some() {
            break runs.items[0].clone();
        }
        assert!(started.elapsed() < PATIENCE, "{runs:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(run.result.as_deref(), Some("failed"));
    assert_eq!((run.images_not_evaluated, run.images_owed), (Some(1), 1));
    let debts = client.impact_debts(&PageQuery::default()).await.unwrap();
    let debt = &debts.items[0];
    assert_eq!((debt.image.as_str(), debt.tries), (IMAGE, 1));
    assert_eq!((debt.reason.as_str(), debt.run_id), ("failed", None));
    assert_eq!((debt.first_generation, debt.last_generation), (1, 1));
}
