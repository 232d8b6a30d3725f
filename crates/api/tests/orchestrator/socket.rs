//! Events over a WebSocket: the same frames, a conversation with bounds.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::service::{Person, Service, job};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub(crate) async fn connect(
    person: &Person,
    path: &str,
    origin: Option<&str>,
) -> Result<Socket, Error> {
    let request = person.request(reqwest::Method::GET, path).build().unwrap();
    let url = request.url().as_str().replace("http://", "ws://");
    let mut handshake = url.into_client_request().unwrap();
    let token = request.headers()["authorization"].to_str().unwrap();
    let headers = handshake.headers_mut();
    headers.insert("authorization", token.parse().unwrap());
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    connect_async(handshake).await.map(|(socket, _)| socket)
}

/// The next message but pings; `None` after the close.
async fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next());
        match message.await.expect("something comes in time")?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn say(socket: &mut Socket, said: &Value) {
    socket.send(Message::text(said.to_string())).await.unwrap();
}

#[tokio::test]
async fn a_socket_tells_the_same_and_goes_on_from_a_cursor() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut socket = connect(&ours, "/events/ws", None).await.unwrap();
    let ids = ours.submit(json!([job(), job()])).await;
    let (first, second) = (
        next(&mut socket).await.unwrap(),
        next(&mut socket).await.unwrap(),
    );
    assert_eq!(first["event"]["job"]["id"], ids[0].as_str());
    assert_eq!(first["event"]["schemaVersion"], "orch.event.v1");
    for name in ["correlationId", "tenantId", "projectId"] {
        assert!(first["event"].get(name).is_some(), "{name}");
    }
    let path = format!("/events/ws?after={}", first["cursor"].as_str().unwrap());
    let mut again = connect(&ours, &path, None).await.unwrap();
    assert_eq!(next(&mut again).await.unwrap(), second);
    let path = format!(
        "/events?continuationToken={}",
        first["cursor"].as_str().unwrap()
    );
    assert_eq!(
        ours.get(&path).await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_client_may_ask_for_other_events_and_for_nothing_else() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut socket = connect(&ours, "/events/ws?types=run.created", None)
        .await
        .unwrap();
    ours.submit(json!([job()])).await;
    say(
        &mut socket,
        &json!({"subscribe": {"types": "job.canceled"}}),
    )
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let id = ours.submit(json!([job()])).await.remove(0);
    ours.post(&format!("/jobs/{id}:cancel"), &json!({})).await;
    let event = next(&mut socket).await.unwrap();
    assert_eq!(event["event"]["eventType"], "job.canceled");
    for said in [
        json!({"subscribe": {"types": "job.lost"}}),
        json!({"publish": 1}),
    ] {
        let mut socket = connect(&ours, "/events/ws", None).await.unwrap();
        say(&mut socket, &said).await;
        assert_eq!(next(&mut socket).await, None, "{said}");
    }
    let mut socket = connect(&ours, "/events/ws", None).await.unwrap();
    let huge = Message::text("x".repeat(65 * 1024));
    let _ = socket.send(huge).await;
    assert_eq!(next(&mut socket).await, None, "a message is bounded");
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let service = Service::start().await;
    let ours = service.ours();
    let own = service.url.clone();
    assert!(connect(&ours, "/events/ws", Some(&own)).await.is_ok());
    match connect(&ours, "/events/ws", Some("https://evil.example")).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{:?}", other.map(|_| ())),
    }
    let plain = ours.get("/events/ws").await;
    assert_eq!(plain.problem(), (400, "PARAMETER_INVALID"));
}

#[tokio::test]
async fn sockets_end_at_once_when_the_service_stops() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut socket = connect(&ours, "/events/ws", None).await.unwrap();
    service.shutdown.cancel();
    let last = next(&mut socket).await.unwrap();
    assert_eq!(last["end"]["reason"], "shutdown");
    assert!(last["cursor"].is_string());
    assert_eq!(next(&mut socket).await, None);
    let stopped = tokio::time::timeout(Duration::from_secs(2), service.running);
    stopped.await.unwrap().unwrap();
}
