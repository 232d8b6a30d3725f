//! What streams do as time passes and nothing happens.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::reader::Stream;
use crate::service::{OTHERS, Service};
use crate::socket::connect;

const HEARTBEAT: Duration = Duration::from_millis(100);
const SILENCE: Duration = Duration::from_millis(600);

async fn quick() -> Service {
    Service::start_with(|config| {
        config.stream_heartbeat = HEARTBEAT;
        config.socket_silence = SILENCE;
        config.stream_recheck = HEARTBEAT;
    })
    .await
}

#[tokio::test]
async fn a_stream_says_that_it_is_alive() {
    let service = quick().await;
    let mut stream = Stream::open(&service.ours(), "/events/stream", None).await;
    let began = Instant::now();
    for _ in 0..3 {
        stream.comment().await;
    }
    assert!(began.elapsed() >= 2 * HEARTBEAT, "{:?}", began.elapsed());
    assert!(!stream.id.is_empty(), "and how far it has come");
}

#[tokio::test]
async fn a_client_that_answers_pings_stays_and_a_silent_one_is_let_go() {
    let service = quick().await;
    let ours = service.ours();
    let open = || service.sample("jobengine_streams{kind=\"ws\"");
    let mut socket = connect(&ours, "/events/ws", None).await.unwrap();
    let began = Instant::now();
    let mut pings = 0;
    // Whoever reads answers: the library sends a pong for each ping.
    while began.elapsed() < 2 * SILENCE {
        match socket.next().await.unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(pings >= 3, "{pings} pings");
    assert_eq!(open(), 1);
    // It does not read any more, and so does not answer.
    let silent = Instant::now();
    while open() > 0 {
        assert!(silent.elapsed() < 10 * SILENCE, "it is kept");
        tokio::time::sleep(HEARTBEAT / 5).await;
    }
    assert!(silent.elapsed() >= SILENCE / 2, "{:?}", silent.elapsed());
}

#[tokio::test]
async fn a_stream_ends_when_its_credential_does() {
    let service = Service::start().await;
    let ours = service.ours();
    let ends = service.store.now().await.unwrap().plus_ms(1_500);
    let key = json!({"name": "short", "scopes": ["orch:read"], "expiresAt": ends.to_string()});
    let key = ours.post("/api-keys", &key).await.ok(201);
    let short = ours.with_token(key["key"].as_str().unwrap());
    let mut stream = Stream::open(&short, "/events/stream", None).await;
    let end = stream.next().await.unwrap();
    assert_eq!(
        (end.event.as_str(), &end.data["reason"]),
        ("end", &json!("token"))
    );
    let over = service.store.now().await.unwrap();
    let late = over.ms_since(ends);
    assert!(over >= ends && late < 2_000, "{late} ms late");
    assert_eq!(stream.next().await, None);
    assert_eq!(short.get("/jobs").await.status, 401);
}

/// Waits for the end of a stream that is about nothing.
async fn end(stream: &mut Stream) -> String {
    let end = tokio::time::timeout(Duration::from_secs(6), stream.next());
    let end = end.await.expect("the stream ends").unwrap();
    assert_eq!(end.event, "end");
    end.data["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stream_ends_when_its_project_is_removed_or_its_tenant_suspended() {
    let service = quick().await;
    let (ours, others) = (service.ours(), service.others());
    let made = ours.post("/projects", &json!({"name": "payments"})).await;
    let project = made.ok(201)["projectId"].as_str().unwrap().to_owned();
    let bound = service.bound(project.parse().unwrap());
    let path = "/events/stream";
    let mut of_project = Stream::open(&bound, path, None).await;
    let mut of_ours = Stream::open(&ours, path, None).await;
    let mut of_others = Stream::open(&others, path, None).await;
    let removal = ours.request(Method::DELETE, &format!("/projects/{project}"));
    assert_eq!(removal.send().await.unwrap().status(), 204);
    assert_eq!(end(&mut of_project).await, "token");
    let suspend =
        format!("UPDATE orch.tenant SET state = 'suspended' WHERE tenant_id = '{OTHERS}'");
    service.sql(&suspend).await;
    assert_eq!(end(&mut of_others).await, "token");
    of_ours.comment().await;
    of_ours.comment().await;
}
