//! The end of the service, and the absence of its database.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::service::{Service, job};

#[tokio::test]
async fn long_polls_end_at_once_when_the_service_stops() {
    let service = Service::start().await;
    let ours = service.ours();
    let waiting = tokio::spawn(async move { ours.claim(1, 30_000).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopped = Instant::now();
    service.shutdown.cancel();
    assert!(
        waiting.await.unwrap().is_empty(),
        "an answer, not a broken connection"
    );
    service.running.await.unwrap();
    assert!(
        stopped.elapsed() < Duration::from_secs(2),
        "{:?}",
        stopped.elapsed()
    );
}

#[tokio::test]
async fn a_stopping_service_says_so_before_it_ends_connections() {
    let service = Service::draining(Duration::from_secs(2)).await;
    let ours = service.ours();
    let stopped = Instant::now();
    service.shutdown.cancel();
    let ready = || service.http.get(format!("{}/readyz", service.url)).send();
    while ready().await.unwrap().status() != 503 {
        assert!(stopped.elapsed() < Duration::from_secs(1), "still ready");
    }
    // Who has not heard of it yet is still served.
    ours.submit(json!([job()])).await;
    service.running.await.unwrap();
    let took = stopped.elapsed();
    assert!((2..4).contains(&took.as_secs()), "{took:?}");
    assert!(
        service.http.get(&service.url).send().await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_missing_database_is_said_within_two_seconds() {
    let service = Service::start().await;
    let ours = service.ours();
    ours.submit(json!([job()])).await;
    take_database_away(&service).await;
    let waiting = {
        let ours = ours.clone();
        let claim = json!({"sessionId": crate::service::SESSION, "worker": "w", "types": ["t"], "max": 1, "waitMs": 20_000});
        tokio::spawn(async move { ours.post("/worker/claim", &claim).await })
    };
    for (path, body) in [
        ("/jobs", json!({"jobs": [job()]})),
        (
            "/runs",
            json!({"jobs": [{"key": "a", "type": "t", "payload": 1}]}),
        ),
    ] {
        let asked = Instant::now();
        let response = ours
            .request(reqwest::Method::POST, path)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.status(), 503);
        let body: serde_json::Value = response.json().await.unwrap();
        assert_eq!(body["code"], "DATABASE_UNAVAILABLE");
        assert!(
            asked.elapsed() < Duration::from_secs(2),
            "{:?}",
            asked.elapsed()
        );
    }
    let claim = tokio::time::timeout(Duration::from_secs(4), waiting)
        .await
        .unwrap();
    assert_eq!(claim.unwrap().problem(), (503, "DATABASE_UNAVAILABLE"));
    let ready = service
        .http
        .get(format!("{}/readyz", service.url))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), 503);
    assert!(service.sample("jobengine_database_unavailable_total") >= 4);
}

async fn take_database_away(service: &Service) {
    let mut config = service.database.super_config();
    let (client, connection) = config
        .dbname("postgres")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let name = service.database.name();
    for sql in [
        format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
        ),
    ] {
        client.batch_execute(&sql).await.unwrap();
    }
}
