//! The OpenAPI document and the operations around it.

use serde_json::Value;

use crate::service::Service;

#[test]
fn every_operation_is_described_whole() {
    let document = serde_json::to_value(jobengine_api::document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "JobEngine");
    let mut names = std::collections::BTreeSet::new();
    let groups: Vec<&Value> = document["tags"].as_array().unwrap().iter().collect();
    let described = |tag: &Value| {
        groups.iter().any(|group| {
            group["name"] == *tag && !group["description"].as_str().unwrap_or_default().is_empty()
        })
    };
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            for part in ["operationId", "summary", "x-scope"] {
                assert!(operation[part].is_string(), "{place} has no {part}");
            }
            assert!(
                names.insert(operation["operationId"].to_string()),
                "{place}: its name is taken"
            );
            assert!(
                !operation["tags"].as_array().unwrap().is_empty(),
                "{place} has no tag"
            );
            assert!(
                operation["tags"].as_array().unwrap().iter().all(described),
                "{place}: its group is not described in `reference/tag.rs`"
            );
            check_examples(&place, &operation["requestBody"]["content"]);
            let public = operation["x-scope"] == "public";
            let security = operation["security"].as_array().unwrap();
            assert_eq!(security.is_empty(), public, "{place}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                check_examples(&format!("{place} {status}"), &response["content"]);
                let text = response["description"].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{place} {status} has no description");
                if status.as_str() >= "400" && status != "431" {
                    let problem =
                        &response["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(
                        problem, "#/components/schemas/ProblemBody",
                        "{place} {status}"
                    );
                }
            }
        }
    }
    check_references(&document, &document);
}

/// Every body has an example; a problem has one for each code it names.
fn check_examples(place: &str, contents: &Value) {
    for (media_type, content) in contents.as_object().into_iter().flatten() {
        let problem = media_type == "application/problem+json";
        let given = content.get("example").is_some() || content.get("examples").is_some();
        assert!(given, "{place} {media_type} has no example");
        for (code, example) in content["examples"].as_object().into_iter().flatten() {
            if problem {
                assert_eq!(example["value"]["code"], **code, "{place}");
            }
        }
    }
}

/// Every reference leads somewhere, and no two types share a name.
fn check_references(value: &Value, document: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get("$ref") {
                let place = to.trim_start_matches('#');
                assert!(document.pointer(place).is_some(), "{to} leads nowhere");
            }
            members
                .values()
                .for_each(|member| check_references(member, document));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| check_references(item, document)),
        _ => {}
    }
}

#[tokio::test]
async fn the_service_says_how_it_is_and_what_it_takes() {
    let service = Service::start().await;
    let get = async |path: &str| {
        let url = format!("{}{path}", service.url);
        let response = service.http.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, r#"{"status":"ok"}"#.into()));
    assert_eq!(get("/readyz").await, (200, r#"{"status":"ok"}"#.into()));
    assert!(get("/version").await.1.contains(env!("CARGO_PKG_VERSION")));
    let (status, served) = get("/.well-known/openapi").await;
    assert_eq!(status, 200, "the client follows to the document");
    let served: Value = serde_json::from_str(&served).unwrap();
    assert_eq!(
        served,
        serde_json::to_value(jobengine_api::document()).unwrap()
    );
    assert!(
        get("/problems/lease-lost")
            .await
            .1
            .starts_with("# LEASE_LOST")
    );
    assert_eq!(get("/problems/none").await.0, 404);
}

#[tokio::test]
async fn people_find_every_operation_on_one_page_that_needs_nothing_else() {
    let service = Service::start().await;
    let get = |path: &str| service.http.get(format!("{}{path}", service.url));
    let response = get("/").send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (policy, tag) = (header("content-security-policy"), header("etag"));
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert_eq!(header("cache-control"), "no-cache");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    let page = response.text().await.unwrap();
    for outside in [" src=", "<link", "@import", "url(", "//cdn"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let document = serde_json::to_value(jobengine_api::document()).unwrap();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.contains(&format!("<article id=\"{id}\">")), "{id}");
        }
    }
    let again = get("/docs").header("if-none-match", tag).send().await;
    assert_eq!(again.unwrap().status(), 304);

    let problem = get("/problems/lease-lost").header("accept", "text/html,*/*;q=0.8");
    let problem = problem.send().await.unwrap();
    assert_eq!(problem.headers()["vary"], "accept");
    let problem = problem.text().await.unwrap();
    assert!(problem.contains("<h1>LEASE_LOST</h1>"), "{problem}");
}
