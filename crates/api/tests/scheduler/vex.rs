//! VEX documents are known by where they were found.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::facts::vex;
use crate::real::lines_of;
use crate::service::Service;

const ID: &str = "https://hub.example/vex/1";
const ALL: &str = "/vex?source=hub";

/// A document of [`ID`] about one package.
fn about(package: &str, status: &str) -> String {
    let product = format!("pkg:npm/{package}@1.0.0");
    vex(Some(ID), "CVE-2024-1", &product, status)
}

fn at(location: &str) -> String {
    format!("{ALL}&location={}", location.replace('/', "%2F"))
}

/// Location and digest of what stands.
async fn standing(service: &Service, path: &str) -> Vec<(String, String)> {
    let page = service.get(path).await.ok(200);
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| (text(item, "location"), text(item, "digest")))
        .collect()
}

#[tokio::test]
async fn documents_of_one_id_stand_beside_each_other() {
    let service = Service::start().await;
    for (location, package) in [("b/vex.json", "b"), ("a/vex.json", "a")] {
        let stored = service
            .post(&at(location), about(package, "fixed"))
            .await
            .ok(200);
        assert_eq!(
            stored,
            json!({"document": ID, "location": location, "statements": 1, "changed": true})
        );
    }
    // Without a location it is its own id.
    service.post(ALL, about("c", "fixed")).await.ok(200);
    let found = standing(&service, "/vex").await;
    let locations: Vec<&str> = found
        .iter()
        .map(|(location, _)| location.as_str())
        .collect();
    assert_eq!(locations, ["a/vex.json", "b/vex.json", ID]);
    let of_id = "/vex?document=https:%2F%2Fhub.example%2Fvex%2F1";
    assert_eq!(standing(&service, of_id).await, found);
    let other = "/vex?document=https:%2F%2Fhub.example%2Fvex%2F2";
    assert_eq!(standing(&service, other).await, []);
    let path = format!("/vex/{}", ID.replace('/', "%2F"));
    let one = service.get(&path).await.ok(200);
    let products: Vec<&Value> = (one["records"].as_array().unwrap().iter())
        .map(|record| &record["statements"][0]["products"][0]["id"])
        .collect();
    assert_eq!(
        products,
        ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0", "pkg:npm/c@1.0.0"]
    );
    // Page by page.
    for path in ["/vex?limit=2", &format!("{of_id}&limit=2")] {
        let page = service.get(path).await.ok(200);
        let token = page["continuationToken"].as_str().unwrap();
        let rest = standing(&service, &format!("{path}&continuationToken={token}")).await;
        assert_eq!(rest, found[2..], "{path}");
    }
}

#[tokio::test]
async fn a_replacement_says_what_it_replaced() {
    let service = Service::start().await;
    let path = at("a/vex.json");
    service.post(&path, about("a", "fixed")).await.ok(200);
    let (_, first) = standing(&service, ALL).await.remove(0);
    let again = service.post(&path, about("a", "fixed")).await.ok(200);
    assert_eq!(
        (&again["changed"], &again["replaced"]),
        (&json!(false), &Value::Null)
    );
    let other = service.post(&path, about("a", "affected")).await.ok(200);
    assert_eq!(other["changed"], json!(true));
    assert_eq!(
        (&other["replaced"]["document"], &other["replaced"]["digest"]),
        (&json!(ID), &json!(first))
    );
    assert!(other["replaced"]["createdAt"].is_string());
    // The same statements under another id: nothing to evaluate, and still told.
    let pending = service.pending().await;
    let renamed = about("a", "affected").replace("vex/1", "vex/2");
    let renamed = service.post(&path, renamed).await.ok(200);
    assert_eq!(
        (&renamed["changed"], &renamed["replaced"]["document"]),
        (&json!(false), &json!(ID))
    );
    assert_eq!(service.pending().await, pending);
    // Two documents of one id, sent without a location: the second says that it took the first one's place.
    service.post(ALL, about("b", "fixed")).await.ok(200);
    let second = service.post(ALL, about("c", "fixed")).await.ok(200);
    assert_eq!(second["replaced"]["document"], json!(ID));
}

#[tokio::test]
async fn a_refusal_is_listed_under_the_location() {
    let service = Service::start().await;
    let broken = about("a", "fixed").replace("status", "state");
    for location in ["a/vex.json", "b/vex.json"] {
        let answer = service.post(&at(location), broken.clone()).await;
        assert_eq!(answer.problem().1, "VEX_INVALID");
    }
    service
        .post(&at("a/vex.json"), about("a", "fixed"))
        .await
        .ok(200);
    let page = service.get("/refusals?source=hub").await.ok(200);
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{page:#}");
    assert_eq!(items[0]["id"], "b/vex.json");
    for bad in ["", "a%0Ab", &"x".repeat(501)] {
        let answer = service.post(&at(bad), about("a", "fixed")).await;
        assert_eq!(answer.problem().1, "PARAMETER_INVALID", "{bad}");
    }
}

/// Whoever comes second replaces what the first has stored, and not what it has seen before: else a change would stand
/// in the stream that starts from a state which never was followed by it.
#[tokio::test]
async fn uploads_at_one_moment_follow_each_other() {
    let service = Service::start().await;
    for round in 0..10 {
        let path = at(&format!("{round}.json"));
        let documents: Vec<String> = (0..4)
            .map(|number| about(&format!("p{number}"), "fixed"))
            .collect();
        let uploads = documents
            .iter()
            .map(|document| service.post(&path, document.clone()));
        let answers = futures_util::future::join_all(uploads).await;
        let answers: Vec<Value> = answers.into_iter().map(|answer| answer.ok(200)).collect();
        let replaced: Vec<&str> = answers
            .iter()
            .filter_map(|answer| answer["replaced"]["digest"].as_str())
            .collect();
        assert_eq!(replaced.len(), 3, "{answers:#?}");
        let stands = standing(&service, ALL).await;
        let (_, last) = stands
            .iter()
            .find(|(location, _)| *location == format!("{round}.json"))
            .unwrap();
        let mut all: Vec<&str> = replaced.clone();
        all.push(last);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4, "each was replaced once, but for the last");
    }
}

/// Whatever comes in whatever order: at each location stands what came last, and each answer says what that replaced.
#[tokio::test]
async fn at_each_location_stands_what_came_last() {
    let service = Service::start().await;
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: u64| {
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) % bound
    };
    // Location → id and package.
    let mut model: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for step in 0..150 {
        let id = format!("https://hub.example/vex/{}", below(3));
        let package = below(3);
        let place = (below(4) > 0).then(|| format!("dir/{}.json", below(3)));
        let path = place.as_deref().map_or_else(|| ALL.to_owned(), at);
        let document = vex(
            Some(&id),
            "CVE-2024-1",
            &format!("pkg:npm/p{package}@1"),
            "fixed",
        );
        let stored = service.post(&path, document).await.ok(200);
        let location = place.unwrap_or_else(|| id.clone());
        assert_eq!(stored["location"], json!(location), "step {step}");
        let before = model.insert(location, (id.clone(), package));
        let changed = before.as_ref().is_none_or(|(_, was)| *was != package);
        assert_eq!(stored["changed"], json!(changed), "step {step}");
        let replaced = before
            .filter(|was| *was != (id, package))
            .map(|(was, _)| was);
        let told = stored["replaced"]["document"].as_str();
        assert_eq!(told, replaced.as_deref(), "step {step}");
    }
    let mut found = BTreeMap::new();
    for number in 0..3 {
        let id = format!("https://hub.example/vex/{number}");
        let path = format!("/vex/{}", id.replace('/', "%2F"));
        let whole = service.get(&path).await;
        for record in whole.body["records"].as_array().into_iter().flatten() {
            let product = record["statements"][0]["products"][0]["id"]
                .as_str()
                .unwrap();
            let package: u64 = product["pkg:npm/p".len()..product.len() - 2]
                .parse()
                .unwrap();
            let location = record["location"].as_str().unwrap().to_owned();
            found.insert(location, (id.clone(), package));
        }
    }
    assert_eq!(found, model);
}

/// 23 documents of a real hub carry 16 ids.
#[tokio::test]
async fn a_real_hub_stands_whole() {
    let Some(history) = lines_of("vex/openvex-rancher.history.jsonl.zst") else {
        return;
    };
    let mut head = BTreeMap::new();
    for version in &history {
        let file = version["file"].as_str().unwrap();
        match version["op"].as_str() {
            Some("delete") => head.remove(file),
            _ => head.insert(file, &version["document"]),
        };
    }
    assert_eq!(head.len(), 23);
    let service = Service::start().await;
    let mut statements = 0;
    for (file, document) in &head {
        let stored = service.post(&at(file), document.to_string()).await.ok(200);
        assert_eq!(stored.get("replaced"), None);
        statements += stored["statements"].as_u64().unwrap();
    }
    let found = standing(&service, "/vex?source=hub&limit=500").await;
    let locations: Vec<&str> = found
        .iter()
        .map(|(location, _)| location.as_str())
        .collect();
    assert!(locations.iter().eq(head.keys()), "{locations:?}");
    let made: usize = head
        .values()
        .map(|document| document["statements"].as_array().unwrap().len())
        .sum();
    assert_eq!(statements, made as u64);
}
