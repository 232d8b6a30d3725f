//! SBOMs, advisories and VEX documents, read again; images and findings, filtered.

use jobengine_impact::finding::{Basis, Bitmap, FindingRow, FindingSets, stored};
use serde_json::{Value, json};

use crate::facts::{advisory, image, sbom, vex};
use crate::service::Service;

/// Two images, three advisories about one flaw, one VEX document, and findings as an evaluation leaves them.
async fn fleet() -> Service {
    let service = Service::start().await;
    for (number, repository, parts) in [
        (1, "shop/web", &["pkg:npm/a@1.0.0"][..]),
        (2, "shop/api", &["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]),
    ] {
        let path = format!(
            "/sboms?image={}&repository={repository}&namespace=prod",
            image(number)
        );
        service.post(&path, sbom(parts)).await.ok(201);
    }
    let mut records = json!([
        advisory("GHSA-1", "a", "2.0.0", "HIGH"),
        advisory("GHSA-2", "a", "1.0.0", "LOW"),
        advisory("GHSA-3", "b", "2.0.0", "CRITICAL"),
    ]);
    for of_one_flaw in [0, 1] {
        records[of_one_flaw]["aliases"] = json!(["CVE-2024-1"]);
    }
    service
        .post("/advisories?source=osv&mode=delta", records.to_string())
        .await
        .ok(200);
    let finding =
        |package: &str, group: &str, severity: &str, kev: bool, images: &[u32]| FindingRow {
            package: package.parse().unwrap(),
            purl: format!("pkg:{package}@1.0.0"),
            group: group.to_owned(),
            severity: severity.parse().unwrap(),
            kev,
            images: stored(&Bitmap::of(images)),
            basis: Basis::default(),
            others: Vec::new(),
        };
    let found = FindingSets::from_rows([
        finding("npm/a", "CVE-2024-1", "high", false, &[0, 1]),
        finding("npm/b", "GHSA-3", "critical", true, &[1]),
    ]);
    let tx = service.store.begin(&service.caller).await.unwrap();
    tx.findings_replace(&FindingSets::default(), &found.unwrap())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    service
}

fn texts<'a>(page: &'a Value, field: &str) -> Vec<&'a str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[field].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_sbom_is_read_again_as_it_came() {
    let service = Service::start().await;
    let document = sbom(&["pkg:npm/a@1.0.0"]);
    let path = format!("/sboms?image={}", image(1));
    let stored = service.post(&path, document.clone()).await.ok(201);
    let digest = stored["sbomDigest"].as_str().unwrap();
    let page = service.get("/sboms").await.ok(200);
    assert_eq!(texts(&page, "digest"), [digest]);
    let one = service.get(&format!("/sboms/{digest}")).await.ok(200);
    assert_eq!(one, page["items"][0]);
    assert_eq!((&one["components"], &one["images"]), (&json!(1), &json!(1)));
    let path = format!("/sboms/{digest}/document");
    let whole = service
        .request(reqwest::Method::GET, &path)
        .send()
        .await
        .unwrap();
    assert_eq!(whole.text().await.unwrap(), document);
    let images = service.get(&format!("/images?sbom={digest}")).await.ok(200);
    assert_eq!(texts(&images, "digest"), [image(1).to_string()]);
    let others = service.acting_as_others();
    for path in [format!("/sboms/{digest}"), path] {
        assert_eq!(others.get(&path).await.problem(), (404, "NOT_FOUND", ""));
    }
    assert_eq!(others.get("/sboms").await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn an_advisory_says_what_it_hits() {
    let service = fleet().await;
    let page = service.get("/advisories?package=npm/a").await.ok(200);
    assert_eq!(texts(&page, "id"), ["GHSA-1", "GHSA-2"]);
    assert_eq!(
        texts(&service.get("/advisories?flaw=GHSA-3").await.ok(200), "id"),
        ["GHSA-3"]
    );
    assert_eq!(
        service.get("/advisories?source=none").await.ok(200)["items"],
        json!([])
    );
    let first = service.get("/advisories?limit=2").await.ok(200);
    let token = first["continuationToken"].as_str().unwrap();
    let next = service
        .get(&format!("/advisories?limit=2&continuationToken={token}"))
        .await
        .ok(200);
    assert_eq!(texts(&next, "id"), ["GHSA-3"]);

    let one = service.get("/advisories/GHSA-1").await.ok(200);
    assert_eq!(one["records"][0]["source"], "osv");
    assert_eq!(one["records"][0]["facts"]["id"], "GHSA-1");
    assert_eq!(one["imagesHit"], 2);
    assert_eq!(one["hits"][0]["purl"], "pkg:npm/a@1.0.0");
    let missed = service.get("/advisories/GHSA-2").await.ok(200);
    assert_eq!(
        (&missed["hits"], &missed["imagesHit"]),
        (&json!([]), &json!(0))
    );
    let others = service.acting_as_others();
    assert_eq!(
        others.get("/advisories/GHSA-1").await.problem(),
        (404, "NOT_FOUND", "")
    );
    assert_eq!(others.get("/advisories").await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn a_vex_document_is_read_with_its_statements() {
    let service = Service::start().await;
    let document = vex(
        Some("https://v/1"),
        "GHSA-1",
        "pkg:npm/a@1.0.0",
        "not_affected",
    );
    let stored = service.post("/vex?source=vendor", document).await.ok(200);
    let id = stored["document"].as_str().unwrap();
    let page = service.get("/vex?source=vendor").await.ok(200);
    assert_eq!(texts(&page, "document"), [id]);
    let path = format!("/vex/{}", id.replace('/', "%2F"));
    let one = service.get(&path).await.ok(200);
    assert_eq!(one["records"][0]["source"], "vendor");
    assert_eq!(one["records"][0]["statements"][0]["status"], "not_affected");
    let others = service.acting_as_others();
    assert_eq!(others.get(&path).await.problem(), (404, "NOT_FOUND", ""));
    assert_eq!(others.get("/vex").await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn images_and_findings_are_filtered() {
    let service = fleet().await;
    let (one, two) = (image(1).to_string(), image(2).to_string());
    let images: [(&str, &[&str]); 8] = [
        ("", &[&one, &two]),
        ("repository=shop/web", &[&one]),
        ("namespace=prod", &[&one, &two]),
        ("namespace=test", &[]),
        ("package=npm/b", &[&two]),
        ("severity=critical", &[&two]),
        ("severity=medium&repository=shop/web", &[&one]),
        ("kev=true", &[&two]),
    ];
    for (filter, expected) in images {
        let page = service.get(&format!("/images?{filter}")).await.ok(200);
        assert_eq!(texts(&page, "digest"), expected, "{filter}");
    }
    let of_one = format!("image={one}&severity=critical");
    let findings: [(&str, &[&str]); 8] = [
        ("", &["npm/a", "npm/b"]),
        ("severity=critical", &["npm/b"]),
        ("kev=false", &["npm/a"]),
        ("repository=shop/web", &["npm/a"]),
        ("repository=shop/web&namespace=test", &[]),
        ("package=npm/b", &["npm/b"]),
        ("package=npm/c", &[]),
        (&of_one, &[]),
    ];
    for (filter, expected) in findings {
        let page = service.get(&format!("/findings?{filter}")).await.ok(200);
        assert_eq!(texts(&page, "package"), expected, "{filter}");
    }
    let page = service.get("/findings?repository=shop/web").await.ok(200);
    assert_eq!(
        page["items"][0]["images"], 1,
        "of the images that were asked for"
    );
    assert_eq!(
        page["items"][0]["advisories"],
        json!(["GHSA-1"]),
        "GHSA-2 does not hit 1.0.0"
    );
    let first = service.get("/findings?limit=1").await.ok(200);
    let token = first["continuationToken"].as_str().unwrap();
    let next = service
        .get(&format!("/findings?limit=1&continuationToken={token}"))
        .await
        .ok(200);
    assert_eq!(texts(&next, "package"), ["npm/b"]);
}

#[tokio::test]
async fn an_image_leaves_the_fleet_with_its_findings() {
    let service = fleet().await;
    let (one, two) = (image(1).to_string(), image(2).to_string());
    let remove = async |service: &Service| {
        let path = format!("/images/{two}");
        let request = service.request(reqwest::Method::DELETE, &path);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(remove(&service).await, 204);
    assert_eq!(remove(&service).await, 404);
    let page = service.get("/images").await.ok(200);
    assert_eq!(texts(&page, "digest"), [&one]);
    let left = service.get("/findings").await.ok(200);
    assert_eq!(texts(&left, "package"), ["npm/a"]);
    assert_eq!(left["items"][0]["images"], 1);
    // No later change hits it, and the preview no longer counts it.
    let record = advisory("GHSA-9", "b", "2.0.0", "HIGH").to_string();
    let preview = service
        .post("/impact/preview?source=osv", record)
        .await
        .ok(200);
    assert_eq!(
        (&preview["imagesImpacted"], &preview["imagesTotal"]),
        (&json!(0), &json!(1))
    );
    // It comes back when its SBOM does.
    let path = format!("/sboms?image={two}");
    let again = service
        .post(&path, sbom(&["pkg:npm/b@1.0.0"]))
        .await
        .ok(201);
    assert_eq!(again["changed"], true);
    let page = service.get("/images").await.ok(200);
    assert_eq!(texts(&page, "digest"), [&one, &two]);
    let service = service.acting_as_others();
    assert_eq!(remove(&service).await, 404);
}

#[tokio::test]
async fn a_paused_source_brings_nothing_in() {
    let service = fleet().await;
    let tx = service.store.begin(&service.caller).await.unwrap();
    let source = tx.source_find("osv").await.unwrap().unwrap();
    assert!(tx.source_pause(source, "broken").await.unwrap());
    tx.commit().await.unwrap();
    let record = advisory("GHSA-9", "b", "2.0.0", "HIGH").to_string();
    for path in [
        "/advisories?source=osv&mode=delta",
        "/kev?source=osv",
        "/vex?source=osv",
    ] {
        let document = match path {
            "/kev?source=osv" => crate::facts::kev(&["CVE-2024-1"]),
            "/vex?source=osv" => vex(None, "GHSA-1", "pkg:npm/a@1.0.0", "fixed"),
            _ => record.clone(),
        };
        let answer = service.post(path, document).await;
        assert_eq!(answer.problem(), (409, "SOURCE_PAUSED", ""), "{path}");
    }
    let other = service
        .post("/advisories?source=ghsa&mode=delta", record)
        .await;
    other.ok(200);
}
