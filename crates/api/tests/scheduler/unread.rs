//! Records that cannot be read, in whole or in part: what counts of them, and where they are listed.

use jobengine_domain::defaults::REFUSALS_MAX;
use jobengine_domain::digest::Digest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::facts::{advisory, image, kev, lines, sbom, vex};
use crate::impact_run::{complete, create};
use crate::service::{Service, send};

const DELTA: &str = "/advisories?source=osv&mode=delta";
const SNAPSHOT: &str = "/advisories?source=osv&mode=snapshot";

/// A record about npm package `a` with these ranges and versions.
fn record(id: &str, ranges: &Value, versions: &[&str]) -> Value {
    json!({"id": id, "affected": [{
        "package": {"ecosystem": "npm", "name": "a"}, "ranges": ranges, "versions": versions}]})
}

/// A range whose type is a number, as one real database writes it for some time.
fn numbered() -> Value {
    json!([{"type": 3, "events": [{"introduced": "0"}, {"fixed": "9.0.0"}]}])
}

/// A range with an event that says nothing.
fn empty_event() -> Value {
    json!([{"type": "SEMVER", "events": [{"introduced": "0"}, {}]}])
}

/// `id effect code` of each refusal.
fn told(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or("-").to_owned();
    items
        .map(|item| {
            ["id", "effect", "code"]
                .map(|field| text(item, field))
                .join(" ")
        })
        .collect()
}

async fn check(service: &Service, query: &str, expected: &[&str]) -> Value {
    let page = service.get(&format!("/refusals{query}")).await.ok(200);
    assert_eq!(told(&page), expected, "{query}: {page:#}");
    page
}

#[tokio::test]
async fn what_can_be_read_of_a_record_counts_and_the_rest_is_kept_as_a_warning() {
    let service = Service::start().await;
    for (number, version) in [(1, "1.0.0"), (2, "5.0.0")] {
        let path = format!("/sboms?image={}", image(number));
        let purl = format!("pkg:npm/a@{version}");
        service.post(&path, sbom(&[&purl])).await.ok(201);
    }
    let records = [
        record("OSV-1", &numbered(), &["1.0.0", "2.0.0"]),
        record("OSV-2", &empty_event(), &["1.0.0"]),
    ];
    let stored = service.post(SNAPSHOT, lines(&records)).await.ok(200);
    let counts = ["received", "stored", "partial", "refused", "changed"].map(|it| &stored[it]);
    assert_eq!(counts, [2, 2, 2, 0, 2], "{stored:#}");
    let problems: Vec<_> = stored["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["code"], &it["effect"], &it["place"]))
        .collect();
    let (code, effect) = (json!("ADVISORY_FIELD_INVALID"), json!("partial"));
    let places = [
        json!("line 1: affected[0].ranges[0].type"),
        json!("line 2: affected[0].ranges[0].events[1]"),
    ];
    assert_eq!(
        problems,
        places.each_ref().map(|place| (&code, &effect, place))
    );

    let run = create(&service, &[image(1), image(2)].into()).await;
    // The other image has a version that no readable part of the records is about.
    let path = format!("/findings?image={}", image(2));
    complete(&service, run).await;
    assert_eq!(service.get(&path).await.ok(200)["items"], json!([]));
    let path = format!("/findings?image={}", image(1));
    let found = service.get(&path).await.ok(200);
    let ids: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["advisories"][0])
        .collect();
    assert_eq!(ids, ["OSV-1", "OSV-2"], "{found:#}");

    let one = service.get("/advisories/OSV-1").await.ok(200);
    let facts = &one["records"][0]["facts"];
    assert_eq!(facts["unread"][0]["place"], "affected[0].ranges[0].type");
    assert_eq!(one["refusals"][0]["effect"], "partial");
    let list = [
        "OSV-1 partial ADVISORY_FIELD_INVALID",
        "OSV-2 partial ADVISORY_FIELD_INVALID",
    ];
    check(&service, "?source=osv", &list).await;
    // The same upload again says nothing new; a whole record takes the warning away.
    let again = service.post(SNAPSHOT, lines(&records)).await.ok(200);
    assert_eq!(
        (&again["changed"], &again["partial"]),
        (&json!(0), &json!(2))
    );
    let whole = advisory("OSV-1", "a", "9.0.0", "HIGH");
    service.post(DELTA, whole.to_string()).await.ok(200);
    check(&service, "", &list[1..]).await;
    let one = service.get("/advisories/OSV-1").await.ok(200);
    assert_eq!(one["refusals"], json!([]));
    assert_eq!(one["records"][0]["facts"].get("unread"), None);
}

#[tokio::test]
async fn a_refused_record_is_listed_until_it_can_be_read_and_the_good_one_counts_on() {
    let service = Service::start().await;
    let good = advisory("OSV-1", "a", "2.0.0", "HIGH");
    service.post(DELTA, good.to_string()).await.ok(200);
    let before = service.get("/advisories/OSV-1").await.ok(200);
    let bad = record("OSV-1", &numbered(), &[]).to_string();
    let answer = service.post(DELTA, bad.clone()).await;
    let place = "affected[0].ranges[0].type";
    assert_eq!(answer.problem(), (422, "ADVISORY_FIELD_INVALID", place));
    let page = check(
        &service,
        "?source=osv",
        &["OSV-1 refused ADVISORY_FIELD_INVALID"],
    )
    .await;
    let listed = &page["items"][0];
    assert_eq!(listed["digest"], Digest::of(bad.as_bytes()).to_string());
    assert_eq!(
        (&listed["place"], &listed["problems"]),
        (&json!(place), &json!(1))
    );

    // Of the same record only the last moment changes; another one that is refused is new.
    service.post(DELTA, bad).await;
    let again = &service.get("/refusals").await.ok(200)["items"][0];
    assert_eq!(again["firstSeenAt"], listed["firstSeenAt"]);
    assert!(again["lastSeenAt"].as_str() > listed["lastSeenAt"].as_str());
    service
        .post(DELTA, record("OSV-1", &json!([]), &[]).to_string())
        .await;
    let page = check(&service, "", &["OSV-1 refused ADVISORY_RANGE_MISSING"]).await;
    assert!(page["items"][0]["firstSeenAt"].as_str() > listed["firstSeenAt"].as_str());

    let after = service.get("/advisories/OSV-1").await.ok(200);
    assert_eq!(after["records"], before["records"], "the good one counts");
    assert_eq!(after["refusals"][0]["code"], "ADVISORY_RANGE_MISSING");
    let stored = service.post(DELTA, good.to_string()).await.ok(200);
    assert_eq!(stored["unchanged"], 1);
    check(&service, "", &[]).await;
}

#[tokio::test]
async fn a_snapshot_sweeps_what_it_no_longer_has() {
    let service = Service::start().await;
    let good = advisory("OSV-9", "a", "2.0.0", "HIGH").to_string();
    let bad = |id: &str| record(id, &json!([]), &[]).to_string();
    let nameless = r#"{"id":7}"#;
    let upload = [&good, &bad("OSV-1"), &bad("OSV-2"), nameless].map(str::to_owned);
    let stored = service.post(DELTA, upload.join("\n")).await.ok(200);
    assert_eq!(
        (&stored["stored"], &stored["refused"]),
        (&json!(1), &json!(3))
    );
    let (one, two) = (
        "OSV-1 refused ADVISORY_RANGE_MISSING",
        "OSV-2 refused ADVISORY_RANGE_MISSING",
    );
    let three = "- refused ADVISORY_FIELD_INVALID";
    check(&service, "", &[one, two, three]).await;

    // With a nameless record nobody knows whether a named one is gone; of nameless ones the bytes tell.
    let other = r#"{"id":8}"#;
    let upload = [&good, other].map(str::to_owned).join("\n");
    let stored = service.post(SNAPSHOT, upload).await.ok(200);
    assert_eq!(stored["problems"][0]["code"], "SNAPSHOT_INCOMPLETE");
    let page = check(&service, "", &[one, two, three]).await;
    assert_eq!(
        page["items"][2]["digest"],
        Digest::of(other.as_bytes()).to_string()
    );
    let upload = [&good, &bad("OSV-2")].map(String::as_str).join("\n");
    service.post(SNAPSHOT, upload).await.ok(200);
    check(&service, "", &[two]).await;
    service.post(SNAPSHOT, good).await.ok(200);
    check(&service, "", &[]).await;
}

#[tokio::test]
async fn a_nameless_refusal_of_a_feed_of_changes_goes_after_a_month() {
    let service = Service::start().await;
    let good = advisory("OSV-9", "a", "2.0.0", "HIGH").to_string();
    service
        .post(DELTA, format!("{good}\n{{\"id\":7}}"))
        .await
        .ok(200);
    service.post(DELTA, good.clone()).await.ok(200);
    check(&service, "", &["- refused ADVISORY_FIELD_INVALID"]).await;
    service
        .alter(
            "UPDATE refusal SET first_seen_at = first_seen_at - interval '31 days',
                last_seen_at = last_seen_at - interval '31 days'",
        )
        .await;
    service.post(DELTA, good).await.ok(200);
    check(&service, "", &[]).await;
}

#[tokio::test]
async fn refusals_are_paged_filtered_and_nobody_else_s() {
    let service = Service::start().await;
    let upload = [
        record("OSV-1", &json!([]), &[]),
        record("OSV-2", &numbered(), &["1.0.0"]),
        record("OSV-3", &json!([]), &[]),
    ];
    service.post(DELTA, lines(&upload)).await.ok(200);
    service
        .post("/advisories?source=other&mode=delta", lines(&upload[1..]))
        .await
        .ok(200);
    let all = service.get("/refusals").await.ok(200);
    assert_eq!(told(&all).len(), 5);
    let mut paged = Vec::new();
    let mut query = String::new();
    loop {
        let page = service
            .get(&format!("/refusals?limit=2{query}"))
            .await
            .ok(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(token) = page["continuationToken"].as_str() else {
            break;
        };
        query = format!("&continuationToken={token}");
    }
    assert_eq!(json!(paged), all["items"]);
    let partial = ["OSV-2 partial ADVISORY_FIELD_INVALID"];
    check(
        &service,
        "?source=other&effect=partial&kind=advisory",
        &partial,
    )
    .await;
    check(&service, "?source=osv&kind=vex", &[]).await;
    let first = service.get("/refusals?source=osv&limit=2").await.ok(200);
    let token = first["continuationToken"].as_str().unwrap();
    let query = format!("?source=osv&limit=2&continuationToken={token}");
    check(&service, &query, &["OSV-3 refused ADVISORY_RANGE_MISSING"]).await;
    check(&service, "?source=none", &[]).await;
    for bad in [
        "kind=sbom",
        "effect=none",
        "limit=501",
        "continuationToken=x",
    ] {
        let answer = service.get(&format!("/refusals?{bad}")).await;
        assert_eq!(answer.problem().0, 400, "{bad}");
    }
    check(&service.acting_as_others(), "", &[]).await;
}

#[tokio::test]
async fn the_list_of_a_source_is_bounded_and_says_what_it_dropped() {
    let service = Service::start().await;
    let upload: Vec<Value> = (0..REFUSALS_MAX + 7)
        .map(|number| record(&format!("OSV-{number:05}"), &json!([]), &[]))
        .chain([advisory("OSV-good", "a", "2.0.0", "HIGH")])
        .collect();
    let dropped = async |expected: u64| {
        let page = service.get("/refusals?source=osv&limit=500").await.ok(200);
        assert_eq!(page["dropped"], expected);
        let all = service.get("/refusals").await.ok(200);
        assert_eq!(all["dropped"], expected);
    };
    let stored = service.post(SNAPSHOT, lines(&upload)).await.ok(200);
    assert_eq!(stored["refused"], REFUSALS_MAX + 7);
    dropped(7).await;
    service.post(SNAPSHOT, lines(&upload)).await.ok(200);
    dropped(7).await;
    // What came last stays.
    service
        .post(DELTA, record("OSV-new", &json!([]), &[]).to_string())
        .await;
    dropped(8).await;
    let tx = service.store.read(&service.caller).await.unwrap();
    let kind = jobengine_store::RefusalKind::Advisory;
    for (id, is_listed) in [("OSV-new", true), ("OSV-00000", true), ("OSV-00999", false)] {
        let found = tx.refusals_of_record(kind, id).await.unwrap();
        assert_eq!(found.len(), usize::from(is_listed), "{id}");
    }
    tx.commit().await.unwrap();
    service
        .post(SNAPSHOT, lines(&upload[upload.len() - 1..]))
        .await
        .ok(200);
    dropped(0).await;
    check(&service, "", &[]).await;
}

#[tokio::test]
async fn a_refused_catalogue_and_a_refused_vex_document_are_listed_too() {
    let service = Service::start().await;
    let catalogue = kev(&["CVE-2024-1"]);
    service
        .post("/kev?source=cisa", catalogue.clone())
        .await
        .ok(200);
    let bad = catalogue.replace("\"count\":1", "\"count\":2");
    assert_eq!(service.post("/kev?source=cisa", bad).await.status, 422);
    let statement = vex(Some("https://v/1"), "CVE-2024-1", "pkg:npm/a@1", "fixed");
    let bad = statement.replace("\"status\"", "\"state\"");
    assert_eq!(service.post("/vex?source=v", bad).await.status, 422);
    let half = statement[..statement.len() / 2].to_owned();
    assert_eq!(service.post("/vex?source=v", half).await.status, 422);
    check(&service, "?kind=kev", &["catalogue refused KEV_INVALID"]).await;
    let of_vex = [
        "https://v/1 refused VEX_INVALID",
        "- refused DOCUMENT_TRUNCATED",
    ];
    check(&service, "?kind=vex&source=v", &of_vex).await;
    service.post("/kev?source=cisa", catalogue).await.ok(200);
    service.post("/vex?source=v", statement).await.ok(200);
    check(&service, "", &of_vex[1..]).await;
}

#[tokio::test]
async fn a_refusal_leaves_the_key_free_and_goes_with_its_source() {
    let service = Service::start().await;
    let bad = record("OSV-1", &json!([]), &[]).to_string();
    let keyed = async |body: String| {
        let request = service.request(Method::POST, DELTA).body(body);
        send(request.header("Idempotency-Key", "k-1")).await
    };
    for _ in 0..2 {
        let answer = keyed(bad.clone()).await;
        let place = "affected[0].ranges";
        assert_eq!(answer.problem(), (422, "ADVISORY_RANGE_MISSING", place));
    }
    // Refusals are not kept: the key serves the corrected request.
    let good = advisory("OSV-2", "a", "2.0.0", "HIGH").to_string();
    assert_eq!(keyed(good).await.ok(200)["stored"], 1);
    service.post(SNAPSHOT, "[]").await.ok(200);
    assert_eq!(service.post(DELTA, bad).await.status, 422);
    check(&service, "", &["OSV-1 refused ADVISORY_RANGE_MISSING"]).await;
    let tx = service.store.begin(&service.caller).await.unwrap();
    let source = tx.source_find("osv").await.unwrap().unwrap();
    assert!(!tx.source_used(source).await.unwrap());
    tx.source_delete(source, 1).await.unwrap();
    tx.commit().await.unwrap();
    check(&service, "", &[]).await;
}
