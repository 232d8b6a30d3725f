//! Bad documents: each refused with its code and place, and nothing of it stored.

use serde_json::json;

use crate::facts::{advisory, image, kev, lines, sbom, vex};
use crate::service::Service;

/// Sends bad documents to one operation: each is refused with its code, and with a place that begins so.
async fn check(path: &str, cases: &[(String, &str, &str)]) {
    let service = Service::start().await;
    for (document, code, place) in cases {
        let what: String = document.chars().take(60).collect();
        let answer = service.post(path, document.clone()).await;
        let (status, found, field) = answer.problem();
        assert_eq!((status, found), (422, *code), "{what}: {:#}", answer.body);
        assert!(field.starts_with(place), "{what}: {field}");
    }
    assert_eq!(service.pending().await, 0);
    assert_eq!(service.get("/images").await.ok(200)["items"], json!([]));
}

fn half(text: &str) -> String {
    text[..text.len() / 2].to_owned()
}

fn with_nul(text: &str) -> String {
    text.replace("npm", "n\\u0000m")
}

fn bomb(open: &str, close: &str) -> String {
    format!("{{\"x\":{}{}}}", open.repeat(5_000), close.repeat(5_000))
}

#[tokio::test]
async fn bad_sboms_store_nothing() {
    let good = sbom(&["pkg:npm/a@1.0.0"]);
    let long = format!("pkg:npm/{}@1", "a".repeat(1_001));
    let line = "line 1 column";
    let cases = [
        (half(&good), "DOCUMENT_TRUNCATED", line),
        (String::new(), "DOCUMENT_TRUNCATED", "line 1 column 1"),
        (bomb("[", "]"), "DOCUMENT_TOO_DEEP", line),
        (with_nul(&good), "DOCUMENT_NUL", line),
        (format!("{good}x"), "DOCUMENT_JSON_INVALID", line),
        ("{}".to_owned(), "SBOM_FORMAT_UNKNOWN", "bomFormat"),
        (
            good.replace("1.5", "9.9"),
            "SBOM_VERSION_UNSUPPORTED",
            "specVersion",
        ),
        (
            sbom(&["pkg:npm/a@1.0%zz"]),
            "PURL_INVALID",
            "components[0].purl",
        ),
        (sbom(&[&long]), "SBOM_FIELD_INVALID", "purl pkg:npm/aaa"),
    ];
    check(&format!("/sboms?image={}", image(1)), &cases).await;
}

#[tokio::test]
async fn bad_advisories_store_nothing() {
    let record = advisory("GHSA-1", "a", "2.0.0", "HIGH");
    let mut no_ranges = record.clone();
    no_ranges["affected"][0]["ranges"] = json!([]);
    let good = record.to_string();
    let line = "line 1 column";
    let cases = [
        (half(&good), "DOCUMENT_TRUNCATED", line),
        (
            format!("{good}\n{}", half(&good)),
            "DOCUMENT_TRUNCATED",
            "line 2 column",
        ),
        (format!("[{good},"), "DOCUMENT_TRUNCATED", line),
        (bomb("[", "]"), "DOCUMENT_TOO_DEEP", line),
        (with_nul(&good), "DOCUMENT_NUL", line),
        (
            no_ranges.to_string(),
            "ADVISORY_RANGE_MISSING",
            "affected[0].ranges",
        ),
        ("{}\n".repeat(200_001), "DOCUMENT_TOO_LARGE", "the upload"),
    ];
    check("/advisories?source=osv&mode=snapshot", &cases).await;
}

#[tokio::test]
async fn bad_catalogues_and_statements_store_nothing() {
    let good = kev(&["CVE-2024-1"]);
    let line = "line 1 column";
    let cases = [
        (half(&good), "DOCUMENT_TRUNCATED", line),
        (
            good.replace("\"count\":1", "\"count\":2"),
            "KEV_INVALID",
            "count",
        ),
        (bomb("{\"a\":", "}"), "DOCUMENT_TOO_DEEP", line),
    ];
    check("/kev", &cases).await;
    let good = vex(None, "CVE-2024-1", "pkg:npm/a@1", "fixed");
    let cases = [
        (half(&good), "DOCUMENT_TRUNCATED", line),
        (with_nul(&good), "DOCUMENT_NUL", line),
        (
            good.replace("\"status\"", "\"state\""),
            "VEX_INVALID",
            "statements[0].status",
        ),
    ];
    check("/vex?source=v", &cases).await;
}

#[tokio::test]
async fn cut_and_broken_packing_stores_nothing() {
    let service = Service::start().await;
    let advisories = "/advisories?source=osv&mode=snapshot";
    let sboms = format!("/sboms?image={}", image(1));
    let records: Vec<_> = (0..200)
        .map(|n| advisory(&format!("GHSA-{n}"), &format!("a{n}"), "2.0.0", "HIGH"))
        .collect();
    let packed = zstd::encode_all(lines(&records).as_bytes(), 3).unwrap();
    let spaces = zstd::encode_all(vec![b' '; 32 * 1024 * 1024].as_slice(), 3).unwrap();
    for (path, encoding, body, status, code) in [
        (
            advisories,
            "zstd",
            packed[..packed.len() - 1].to_vec(),
            422,
            "COMPRESSION_TRUNCATED",
        ),
        (
            advisories,
            "zstd",
            packed[..packed.len() / 2].to_vec(),
            422,
            "COMPRESSION_TRUNCATED",
        ),
        (
            &sboms,
            "zstd",
            packed[..10].to_vec(),
            422,
            "COMPRESSION_TRUNCATED",
        ),
        (
            advisories,
            "gzip",
            packed.clone(),
            422,
            "COMPRESSION_INVALID",
        ),
        (&sboms, "zstd", spaces, 422, "COMPRESSION_BOMB"),
        (
            advisories,
            "br",
            packed.clone(),
            415,
            "MEDIA_TYPE_UNSUPPORTED",
        ),
    ] {
        let answer = service.post_packed(path, encoding, body).await;
        let (found_status, found, _) = answer.problem();
        assert_eq!(
            (found_status, found),
            (status, code),
            "{path} {encoding}: {:#}",
            answer.body
        );
    }
    assert_eq!(service.pending().await, 0);
}

#[tokio::test]
async fn parameters_are_checked() {
    let service = Service::start().await;
    let long = format!("/kev?source={}", "x".repeat(201));
    for (path, method) in [
        ("/sboms?image=sha256:12", "POST"),
        ("/sboms?tag=a%00b", "POST"),
        ("/sboms?unknown=1", "POST"),
        ("/advisories?source=osv", "POST"),
        ("/advisories?mode=delta", "POST"),
        ("/advisories?source=osv&mode=all", "POST"),
        (&long, "POST"),
        ("/vex", "POST"),
        ("/images?limit=501", "GET"),
        ("/images/redis", "GET"),
        ("/findings?package=conan/zlib", "GET"),
        ("/findings?severity=awful", "GET"),
        ("/images?kev=perhaps", "GET"),
        ("/sboms/redis", "GET"),
        ("/runs/7", "GET"),
        ("/segments/01890000-0000-7000-8000-000000000000", "GET"),
    ] {
        let answer = match method {
            "POST" => service.post(path, "{}").await,
            _ => service.get(path).await,
        };
        assert_eq!(answer.problem(), (400, "PARAMETER_INVALID", ""), "{path}");
    }
    let missing = "/runs/01890000-0000-7000-8000-000000000000";
    for path in ["", "/deltas", "/completion", "/inputs"] {
        let answer = service.get(&format!("{missing}{path}")).await;
        assert_eq!(answer.problem(), (404, "NOT_FOUND", ""), "{path}");
    }
}

#[tokio::test]
async fn a_body_has_an_end() {
    let service = Service::start().await;
    let answer = service
        .post("/sboms", vec![b' '; 32 * 1024 * 1024 + 1])
        .await;
    assert_eq!(
        answer.problem(),
        (422, "DOCUMENT_TOO_LARGE", "byte 33554432")
    );
}
