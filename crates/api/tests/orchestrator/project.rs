//! Projects, the project of a request, and packs that run in one.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, OURS, Person, Service, job, send};

async fn make(person: &Person, name: &str) -> String {
    let made = person
        .post("/projects", &json!({"name": name}))
        .await
        .ok(201);
    made["projectId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn of_changes_to_one_version_one_is_made_and_the_others_learn_of_it() {
    let service = Service::start().await;
    let ours = service.ours();
    let id = make(&ours, "payments").await;
    let changes = (0..12).map(|n| {
        let path = format!("/projects/{id}");
        let request = ours.request(Method::PATCH, &path);
        let body = json!({"description": n.to_string()});
        send(request.json(&body).header("if-match", "\"1\""))
    });
    let mut made = 0;
    for answer in futures_util::future::join_all(changes).await {
        if answer.status == 200 {
            made += 1;
        } else {
            assert_eq!(answer.problem(), (412, "PRECONDITION_FAILED"));
        }
    }
    assert_eq!(made, 1);
}

async fn pack_run(person: &Person, tenant: bool, body: &Value) -> Answer {
    let mut request = person.request(Method::POST, "/pack-runs").json(body);
    if tenant {
        request = request.header("x-stella-tenant", OURS.to_string());
    }
    send(request).await
}

#[tokio::test]
async fn projects_are_kept_apart_by_name_and_tenant() {
    let service = Service::start().await;
    let (ours, others) = (service.ours(), service.others());
    let id = make(&ours, "payments").await;
    let again = ours.post("/projects", &json!({"name": "Payments"})).await;
    assert_eq!(again.problem(), (409, "NAME_TAKEN"));
    make(&others, "payments").await;
    let path = format!("/projects/{id}");
    let change = async |tag: &str, body: &Value| {
        let request = ours.request(Method::PATCH, &path).json(body);
        send(request.header("if-match", tag)).await
    };
    let changed = change("\"1\"", &json!({"description": "money"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["name"], &changed["version"]),
        (&json!("payments"), &json!(2))
    );
    assert_eq!(
        change("\"1\"", &json!({})).await.problem(),
        (412, "PRECONDITION_FAILED")
    );
    make(&ours, "search").await;
    let taken = change("\"2\"", &json!({"name": "search"})).await;
    assert_eq!(taken.problem(), (409, "NAME_TAKEN"));
    assert_eq!(others.get(&path).await.problem(), (404, "NOT_FOUND"));
    assert_eq!(
        ours.get("/projects").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_pack_runs_for_a_project_of_a_tenant() {
    let service = Service::start().await;
    let ours = service.ours();
    let project = make(&ours, "payments").await;
    let foreign = make(&service.others(), "payments").await;
    let pack = |project: Option<&str>| json!({"projectId": project, "pack": {"name": "rotate", "version": "1.0.0"}, "inputs": {"b": 1, "a": [2]}});
    for (tenant, project) in [(false, Some(&project[..])), (true, None), (false, None)] {
        let refused = pack_run(&ours, tenant, &pack(project)).await;
        assert_eq!(refused.problem(), (422, "PACK_RUN_UNSCOPED"));
    }
    let unknown = pack_run(&ours, true, &pack(Some(&foreign))).await;
    assert_eq!(unknown.problem(), (404, "NOT_FOUND"));
    let created = pack_run(&ours, true, &pack(Some(&project))).await.ok(201);
    let path = format!("/jobs/{}", created["jobId"].as_str().unwrap());
    let job = ours.get(&path).await.ok(200);
    assert_eq!(
        (&job["type"], &job["runId"]),
        (&json!("pack-run"), &created["runId"])
    );
    assert_eq!(job["payload"]["inputs"], json!({"b": 1, "a": [2]}));

    // Who speaks for the project sees it; who speaks for another one does not.
    let as_project = async |project: &str, path: &str| {
        let request = ours.request(Method::GET, path);
        send(request.header("x-stella-project", project)).await
    };
    as_project(&project, &path).await.ok(200);
    let other = make(&ours, "search").await;
    assert_eq!(
        as_project(&other, &path).await.problem(),
        (404, "NOT_FOUND")
    );
    assert_eq!(
        as_project(&foreign, &path).await.problem(),
        (404, "NOT_FOUND")
    );
    assert_eq!(
        as_project("payments", &path).await.problem(),
        (400, "HEADER_INVALID")
    );
    let used = send(ours.request(Method::DELETE, &format!("/projects/{project}"))).await;
    assert_eq!(used.problem(), (409, "PROJECT_IN_USE"));
}

#[tokio::test]
async fn a_request_is_for_its_project() {
    let service = Service::start().await;
    let ours = service.ours();
    let project = make(&ours, "payments").await;
    ours.submit(json!([job()])).await;
    let request = ours
        .request(Method::GET, "/jobs")
        .header("x-stella-project", &project);
    assert_eq!(
        send(request).await.ok(200)["items"],
        json!([]),
        "jobs of no project are not its own"
    );
    let twice = ours
        .request(Method::GET, "/jobs")
        .header("x-stella-project", &project)
        .header("x-stella-project", &project);
    assert_eq!(send(twice).await.problem(), (400, "HEADER_INVALID"));
}

async fn remove(person: &Person, project: &str) -> u16 {
    let request = person.request(Method::DELETE, &format!("/projects/{project}"));
    request.send().await.unwrap().status().as_u16()
}

/// Of one project only; asks until it is refused.
async fn until_refused(person: &Person, path: &str) -> Answer {
    let began = Instant::now();
    loop {
        let answer = person.get(path).await;
        if answer.status != 200 {
            return answer;
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{path} is still read"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_token_of_a_project_that_is_gone_is_refused_by_every_replica() {
    let [service, other] = Service::replicas().await;
    let ours = service.ours();
    let project = make(&ours, "payments").await;
    let bound = service.bound(project.parse().unwrap());
    let elsewhere = other.bound(project.parse().unwrap());
    for person in [&bound, &elsewhere] {
        assert_eq!(person.get("/jobs").await.status, 200);
    }
    assert_eq!(remove(&ours, &project).await, 204);
    let jobs = json!({"jobs": [job()]});
    for path in ["/jobs", "/events", "/sources"] {
        let refused = bound.get(path).await;
        assert_eq!(
            refused.problem(),
            (401, "UNAUTHENTICATED"),
            "at once: {path}"
        );
    }
    let refused = bound.post("/jobs", &jobs).await;
    assert_eq!(refused.problem(), (401, "UNAUTHENTICATED"));
    let refused = until_refused(&elsewhere, "/jobs").await;
    assert_eq!(refused.problem(), (401, "UNAUTHENTICATED"));
    let refused = elsewhere.post("/jobs", &jobs).await;
    assert_eq!(refused.problem(), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_job_names_a_project_that_exists() {
    let service = Service::start().await;
    let ours = service.ours();
    let foreign = make(&service.others(), "payments").await;
    let unknown = uuid::Uuid::from_u128(0xdead).to_string();
    for project in [&foreign, &unknown] {
        let mut named = job();
        named["projectId"] = project.as_str().into();
        let answer = ours.post("/jobs", &json!({"jobs": [job(), named]})).await;
        assert_eq!(answer.problem(), (404, "NOT_FOUND"), "{:#}", answer.body);
    }
    let jobs = ours.get("/jobs").await.ok(200);
    assert_eq!(jobs["items"], json!([]), "all or none");
}

/// Submits and the removal of their project meet: either of them wins, never both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_taken_for_a_project_that_is_removed_meanwhile() {
    let [service, other] = Service::replicas().await;
    let (ours, elsewhere) = (service.ours(), other.ours());
    let (mut removed, mut kept) = (0, 0);
    for round in 0..30_u64 {
        let project = make(&ours, &format!("p{round}")).await;
        let mut named = job();
        named["projectId"] = project.as_str().into();
        let jobs = json!({"jobs": [named]});
        let submits = (0..4_u64).map(|n| {
            let (person, jobs) = (if n % 2 == 0 { &ours } else { &elsewhere }, &jobs);
            async move {
                tokio::time::sleep(Duration::from_millis(n * round / 10)).await;
                person.post("/jobs", jobs).await
            }
        });
        let removal = async {
            tokio::time::sleep(Duration::from_millis(round / 3)).await;
            remove(&elsewhere, &project).await
        };
        let submits = futures_util::future::join_all(submits);
        let (submits, removal) = tokio::join!(submits, removal);
        let taken = submits.iter().filter(|answer| answer.status == 201).count();
        for answer in submits.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.problem(), (404, "NOT_FOUND"), "round {round}");
        }
        match removal {
            204 => removed += 1,
            409 => kept += 1,
            other => panic!("round {round}: {other}"),
        }
        let gone = removal == 204;
        assert!(
            taken == 0 || !gone,
            "round {round}: {taken} jobs of no project"
        );
        assert!(taken == 4 || gone, "round {round}: {taken} of 4");
    }
    println!("{removed} were removed, {kept} kept");
}
