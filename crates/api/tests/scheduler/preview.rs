//! What a change would hit.

use serde_json::{Value, json};

use crate::facts::{advisory, image, lines, sbom};
use crate::service::Service;

async fn fleet() -> Service {
    let service = Service::start().await;
    for (number, purls) in [
        (1, ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]),
        (2, ["pkg:npm/a@2.5.0", "pkg:npm/b@1.0.0"]),
        (3, ["pkg:npm/a@9.0.0", "pkg:npm/c@1.0.0"]),
    ] {
        let path = format!("/sboms?image={}", image(number));
        service.post(&path, sbom(&purls)).await.ok(201);
    }
    service
}

fn figures(answer: &Value) -> (u64, u64, Vec<(String, u64)>) {
    let packages = answer["packages"].as_array().unwrap().iter();
    let packages = packages.map(|package| {
        let name = package["package"].as_str().unwrap().to_owned();
        (name, package["images"].as_u64().unwrap())
    });
    let number = |field: &str| answer[field].as_u64().unwrap();
    (
        number("imagesImpacted"),
        number("imagesTotal"),
        packages.collect(),
    )
}

#[tokio::test]
async fn a_preview_counts_images_and_stores_nothing() {
    let service = fleet().await;
    let pending = service.pending().await;
    let upload = lines(&[
        advisory("GHSA-1", "a", "3.0.0", "HIGH"),
        advisory("GHSA-2", "b", "1.5.0", "LOW"),
        advisory("GHSA-3", "nowhere", "2.0.0", "LOW"),
    ]);
    let answer = service
        .post("/impact/preview?source=osv", upload)
        .await
        .ok(200);
    let expected = [("npm/a".to_owned(), 2), ("npm/b".to_owned(), 2)].to_vec();
    assert_eq!(figures(&answer), (2, 3, expected));
    let mut hit = [image(1), image(2)];
    hit.sort();
    assert_eq!(answer["images"], json!(hit));
    assert_eq!(service.pending().await, pending);
    let again = service.post("/impact/preview", "[]").await.ok(200);
    assert_eq!(figures(&again), (0, 3, Vec::new()));
}

#[tokio::test]
async fn only_what_differs_from_the_standing_advisory_counts() {
    let service = fleet().await;
    let standing = advisory("GHSA-1", "a", "2.0.0", "HIGH");
    service
        .post("/advisories?source=osv&mode=delta", standing.to_string())
        .await
        .ok(200);
    let preview = async |source: &str, record: &Value| {
        let path = format!("/impact/preview?source={source}");
        figures(&service.post(&path, record.to_string()).await.ok(200)).0
    };
    assert_eq!(preview("osv", &standing).await, 0);
    assert_eq!(preview("unknown", &standing).await, 1);
    let mut dated = standing.clone();
    dated["modified"] = "2025-01-01T00:00:00Z".into();
    assert_eq!(preview("osv", &dated).await, 0);
    // Whatever the old or the new range hits is looked at again.
    assert_eq!(
        preview("osv", &advisory("GHSA-1", "a", "3.0.0", "HIGH")).await,
        2
    );
    let mut withdrawn = standing.clone();
    withdrawn["withdrawn"] = "2025-01-01T00:00:00Z".into();
    assert_eq!(preview("osv", &withdrawn).await, 1);
}

#[tokio::test]
async fn a_preview_with_a_bad_record_is_refused() {
    let service = fleet().await;
    let mut bad = advisory("GHSA-2", "a", "2.0.0", "HIGH");
    bad["affected"][0]["ranges"] = json!([]);
    let upload = lines(&[advisory("GHSA-1", "a", "2.0.0", "HIGH"), bad, json!({})]);
    let answer = service.post("/impact/preview", upload).await;
    assert_eq!(
        answer.problem(),
        (422, "ADVISORY_RANGE_MISSING", "line 2: affected[0].ranges")
    );
    assert_eq!(answer.body["errors"][1]["code"], "ADVISORY_ID_MISSING");
}
