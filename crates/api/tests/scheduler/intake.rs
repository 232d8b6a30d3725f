//! Good documents, and what becomes of them.

use jobengine_domain::digest::Digest;
use jobengine_store::Place;
use reqwest::Method;
use serde_json::json;

use crate::facts::{advisory, image, kev, lines, sbom, vex};
use crate::service::{Service, send};

#[tokio::test]
async fn an_sbom_makes_an_image() {
    let service = Service::start().await;
    let document = sbom(&["pkg:npm/a@1.0.0", "pkg:npm/b", "pkg:conan/zlib@1"]);
    let path = format!("/sboms?image={}&repository=r/redis&tag=7", image(1));
    let stored = service.post(&path, document.clone()).await.ok(201);
    assert_eq!(
        stored,
        json!({
            "imageDigest": image(1), "sbomDigest": Digest::of(document.as_bytes()),
            "format": "CycloneDX-1.5", "components": 3, "unmatched": 2, "changed": true,
        })
    );
    let again = service.post(&path, document.clone()).await.ok(201);
    assert_eq!(again["changed"], false);
    let packed = zstd::encode_all(document.as_bytes(), 3).unwrap();
    let again = service.post_packed(&path, "zstd", packed).await.ok(201);
    assert_eq!(
        again["changed"], false,
        "a packed document is the same document"
    );
    let tagged = format!("/sboms?image={}&tag=latest", image(1));
    assert_eq!(
        service.post(&tagged, document).await.ok(201)["changed"],
        true
    );

    let found = service.get(&format!("/images/{}", image(1))).await.ok(200);
    assert_eq!(found["repository"], "r/redis");
    assert_eq!(found["tags"], json!(["7", "latest"]));
    assert_eq!(found["components"], 3);
    assert_eq!(found.get("findings"), None, "it was not evaluated yet");
    assert_eq!(service.pending().await, 2);
}

#[tokio::test]
async fn an_sbom_may_name_its_image() {
    let service = Service::start().await;
    let named = |version: &str| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5",
            "metadata": {"component": {"type": "container", "name": "redis", "version": version}},
        })
    };
    let stored = service
        .post("/sboms", named(&image(3).to_string()).to_string())
        .await
        .ok(201);
    assert_eq!(stored["imageDigest"], image(3).to_string());
    let answer = service.post("/sboms", named("7.2").to_string()).await;
    assert_eq!(answer.problem(), (422, "IMAGE_DIGEST_MISSING", "image"));
}

#[tokio::test]
async fn images_are_listed_page_by_page() {
    let service = Service::start().await;
    for number in 1..=3 {
        let path = format!("/sboms?image={}", image(number));
        service
            .post(&path, sbom(&["pkg:npm/a@1.0.0"]))
            .await
            .ok(201);
    }
    let first = service.get("/images?limit=2").await.ok(200);
    let token = first["continuationToken"].as_str().unwrap();
    let second = service
        .get(&format!("/images?limit=2&continuationToken={token}"))
        .await
        .ok(200);
    let digests = |page: &serde_json::Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["digest"].as_str().unwrap().to_owned())
            .collect()
    };
    let all: Vec<String> = (1..=3).map(|number| image(number).to_string()).collect();
    assert_eq!([digests(&first), digests(&second)].concat(), all);
    assert_eq!(second["continuationToken"], json!(null));
    let answer = service
        .get(&format!("/runs?continuationToken={token}"))
        .await;
    assert_eq!(answer.problem(), (400, "PAGE_TOKEN_INVALID", ""));
}

#[tokio::test]
async fn a_snapshot_replaces_and_a_delta_adds() {
    let service = Service::start().await;
    let records = [
        advisory("GHSA-1", "a", "2.0.0", "HIGH"),
        advisory("GHSA-2", "b", "2.0.0", "LOW"),
        advisory("GHSA-3", "c", "2.0.0", "LOW"),
    ];
    let check = async |mode: &str, upload: String, expected: [u64; 5]| {
        let path = format!("/advisories?source=osv&mode={mode}");
        let answer = service.post(&path, upload).await.ok(200);
        let figures = ["received", "stored", "changed", "withdrawn", "unchanged"];
        assert_eq!(
            figures.map(|figure| answer[figure].as_u64().unwrap()),
            expected,
            "{answer:#}"
        );
        answer
    };
    check("snapshot", lines(&records), [3, 3, 3, 0, 0]).await;
    check("snapshot", json!(records).to_string(), [3, 3, 0, 0, 3]).await;
    let worse = advisory("GHSA-1", "a", "3.0.0", "CRITICAL");
    check("delta", worse.to_string(), [1, 1, 1, 0, 0]).await;
    check(
        "snapshot",
        lines(&[worse, records[1].clone()]),
        [2, 2, 0, 1, 2],
    )
    .await;
    assert_eq!(service.pending().await, 5);

    // Another source's records are its own.
    let path = "/advisories?source=other&mode=snapshot";
    assert_eq!(service.post(path, "[]").await.ok(200)["withdrawn"], 0);
    check("snapshot", "[]".to_owned(), [0, 0, 0, 2, 0]).await;
}

#[tokio::test]
async fn a_refused_record_keeps_what_stood_under_its_id() {
    let service = Service::start().await;
    let path = "/advisories?source=osv&mode=snapshot";
    let good = advisory("GHSA-1", "a", "2.0.0", "HIGH");
    let other = advisory("GHSA-2", "a", "2.0.0", "HIGH");
    service
        .post(path, lines(&[good.clone(), other.clone()]))
        .await
        .ok(200);

    let mut bad = good.clone();
    bad["affected"][0]["ranges"] = json!([]);
    let answer = service
        .post(path, lines(&[bad, other.clone()]))
        .await
        .ok(200);
    assert_eq!(answer["problems"][0]["code"], "ADVISORY_RANGE_MISSING");
    assert_eq!(answer["problems"][0]["place"], "line 1: affected[0].ranges");
    assert_eq!(
        (&answer["withdrawn"], &answer["unchanged"]),
        (&json!(0), &json!(1))
    );

    let nameless = format!("{{\"id\":\"GHSA-1\",}}\n{other}");
    let answer = service.post(path, nameless).await.ok(200);
    assert_eq!(answer["problems"][0]["code"], "SNAPSHOT_INCOMPLETE");
    assert_eq!(answer["withdrawn"], 0);
    let again = service.post(path, lines(&[good, other])).await.ok(200);
    assert_eq!(again["unchanged"], 2, "both stand as they stood");
}

#[tokio::test]
async fn the_last_of_equal_ids_counts() {
    let service = Service::start().await;
    let last = advisory("GHSA-1", "a", "3.0.0", "HIGH");
    let upload = lines(&[advisory("GHSA-1", "a", "2.0.0", "LOW"), last.clone()]);
    let answer = service
        .post("/advisories?source=osv&mode=delta", upload)
        .await
        .ok(200);
    assert_eq!(
        (&answer["received"], &answer["stored"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(answer["problems"][0]["code"], "ADVISORY_DUPLICATE");
    let again = service
        .post("/advisories?source=osv&mode=delta", last.to_string())
        .await
        .ok(200);
    assert_eq!(again["unchanged"], 1);
}

#[tokio::test]
async fn packed_uploads_are_unpacked() {
    let service = Service::start().await;
    let path = "/advisories?source=osv&mode=delta";
    let upload = lines(&[advisory("GHSA-1", "a", "2.0.0", "HIGH")]);
    let packed = zstd::encode_all(upload.as_bytes(), 3).unwrap();
    assert_eq!(
        service.post_packed(path, "zstd", packed).await.ok(200)["changed"],
        1
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, upload.as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    assert_eq!(
        service.post_packed(path, "gzip", packed).await.ok(200)["unchanged"],
        1
    );
}

#[tokio::test]
async fn a_catalogue_is_compared_with_the_one_before() {
    let service = Service::start().await;
    let check = async |ids: &[&str], expected: [u64; 4]| {
        let answer = service.post("/kev?source=cisa", kev(ids)).await.ok(200);
        let figures = ["entries", "added", "removed", "changed"];
        assert_eq!(
            figures.map(|figure| answer[figure].as_u64().unwrap()),
            expected
        );
    };
    check(&["CVE-2024-1", "CVE-2024-2"], [2, 2, 0, 0]).await;
    check(&["CVE-2024-2", "CVE-2024-3"], [2, 1, 1, 0]).await;
    check(&["CVE-2024-2", "CVE-2024-3"], [2, 0, 0, 0]).await;
    assert_eq!(service.pending().await, 2);
}

#[tokio::test]
async fn a_vex_document_is_known_by_its_id_or_its_bytes() {
    let service = Service::start().await;
    let check = async |document: String, id: &str, changed: bool| {
        let mut answer = service.post("/vex?source=vendor", document).await.ok(200);
        answer.as_object_mut().unwrap().remove("replaced");
        assert_eq!(
            answer,
            json!({"document": id, "location": id, "statements": 1, "changed": changed})
        );
    };
    let id = Some("https://vendor/1");
    check(
        vex(id, "CVE-2024-1", "pkg:npm/a@1", "fixed"),
        "https://vendor/1",
        true,
    )
    .await;
    check(
        vex(id, "CVE-2024-1", "pkg:npm/a@1", "fixed"),
        "https://vendor/1",
        false,
    )
    .await;
    check(
        vex(id, "CVE-2024-1", "pkg:npm/a@1", "affected"),
        "https://vendor/1",
        true,
    )
    .await;
    let nameless = vex(None, "CVE-2024-1", "pkg:npm/a@1", "fixed");
    let digest = Digest::of(nameless.as_bytes()).to_string();
    check(nameless, &digest, true).await;
}

#[tokio::test]
async fn a_change_keeps_the_trace_of_the_request_that_brought_it() {
    let service = Service::start().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = service
        .request(Method::POST, &format!("/sboms?image={}", image(1)))
        .header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"))
        .body(sbom(&["pkg:npm/a@1.0.0"]));
    send(request).await.ok(201);
    let tx = service.store.begin(&service.caller).await.unwrap();
    // Others' transactions hold the stream back while they are open.
    let change = loop {
        let changes = tx.changes_page(&Place::start(), 10).await.unwrap();
        if let Some(change) = changes.into_iter().next() {
            break change;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let kept = change.trace.unwrap();
    assert_eq!(
        (format!("{:032x}", kept.trace), kept.sampled),
        (trace.to_owned(), true)
    );
    // It is the request's own span, not the one that the client named.
    assert_ne!(format!("{:016x}", kept.span), "b7ad6b7169203331");
}
