//! An issuer that changes its keys, goes away and comes back, over a real socket; the clock is ours.

use std::sync::Mutex as Shared;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use serde_json::json;

use super::*;

/// What the issuer answers.
#[derive(Clone)]
enum Mood {
    Keys(Vec<(&'static str, u8)>),
    Broken(&'static str),
    Error,
    Elsewhere,
    Huge,
    Silent,
}

struct Issuer {
    url: String,
    mood: Arc<Shared<Mood>>,
    asked: Arc<AtomicUsize>,
}

type Answering = (Arc<Shared<Mood>>, Arc<AtomicUsize>);

impl Issuer {
    async fn start(mood: Mood) -> Self {
        let (mood, asked) = (Arc::new(Shared::new(mood)), Arc::new(AtomicUsize::new(0)));
        let router = Router::new()
            .route("/keys", get(answer))
            .with_state((Arc::clone(&mood), Arc::clone(&asked)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, mood, asked }
    }

    fn turns(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn jwks(&self) -> Jwks {
        Jwks::url(&self.url, Algorithm::USUAL.into_iter().collect()).unwrap()
    }
}

async fn answer(State((mood, asked)): State<Answering>) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let mood = mood.lock().unwrap().clone();
    match mood {
        Mood::Keys(keys) => document(&keys).into_response(),
        Mood::Broken(text) => text.into_response(),
        Mood::Error => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Elsewhere => Redirect::temporary("/keys").into_response(),
        Mood::Huge => " ".repeat(KEY_SET_MAX_BYTES + 1).into_response(),
        Mood::Silent => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn document(keys: &[(&str, u8)]) -> String {
    let key = |(kid, byte): &(&str, u8)| json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": URL_SAFE_NO_PAD.encode([*byte; 32])});
    json!({"keys": keys.iter().map(key).collect::<Vec<_>>()}).to_string()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what a set answers"
)]
const fn key(byte: u8) -> Result<Option<VerifyingKey>, KeysUnavailable> {
    Ok(Some(VerifyingKey::Ed25519([byte; 32])))
}

#[tokio::test]
async fn a_set_is_kept_for_ten_minutes_and_new_names_are_asked_for() {
    let issuer = Issuer::start(Mood::Keys(vec![("a", 1)])).await;
    let jwks = issuer.jwks();
    let start = Instant::now();
    let at = |s| start + Duration::from_secs(s);
    assert_eq!(jwks.find("a", at(0)).await, key(1));
    assert_eq!(jwks.find("a", at(599)).await, key(1));
    assert_eq!(issuer.asked(), 1);
    assert_eq!(jwks.find("a", at(600)).await, key(1));
    assert_eq!(issuer.asked(), 2);
    // The issuer rotates: the new name is asked for once in ten seconds, however many tokens have it.
    for _ in 0..5 {
        assert_eq!(jwks.find("b", at(605)).await, Ok(None));
    }
    assert_eq!(issuer.asked(), 2);
    issuer.turns(Mood::Keys(vec![("b", 2)]));
    assert_eq!(jwks.find("b", at(610)).await, key(2));
    assert_eq!(jwks.find("a", at(611)).await, Ok(None), "withdrawn");
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn without_its_issuer_a_set_is_believed_for_an_hour() {
    let issuer = Issuer::start(Mood::Error).await;
    let jwks = issuer.jwks();
    let start = Instant::now();
    let at = |s| start + Duration::from_secs(s);
    assert_eq!(jwks.find("a", at(0)).await, Err(KeysUnavailable));
    issuer.turns(Mood::Keys(vec![("a", 1)]));
    assert_eq!(
        jwks.find("a", at(9)).await,
        Err(KeysUnavailable),
        "too soon"
    );
    assert_eq!(jwks.find("a", at(10)).await, key(1));
    for (s, mood) in [
        (700, Mood::Error),
        (800, Mood::Elsewhere),
        (900, Mood::Huge),
        (1_000, Mood::Broken("")),
        (1_100, Mood::Broken("{\"keys\":[]}")),
        (
            1_200,
            Mood::Broken("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"),
        ),
        (3_609, Mood::Error),
    ] {
        issuer.turns(mood);
        assert_eq!(jwks.find("a", at(s)).await, key(1), "after {s} s");
    }
    assert_eq!(jwks.find("a", at(3_610)).await, Err(KeysUnavailable));
    issuer.turns(Mood::Keys(vec![("a", 3)]));
    assert_eq!(jwks.find("a", at(3_619)).await, key(3));
}

#[tokio::test]
async fn many_ask_and_one_goes() {
    let issuer = Issuer::start(Mood::Keys(vec![("a", 1)])).await;
    let jwks = Arc::new(issuer.jwks());
    let now = Instant::now();
    let ask = |_| {
        let jwks = Arc::clone(&jwks);
        tokio::spawn(async move { jwks.find("a", now).await })
    };
    let asking: Vec<_> = (0..50).map(ask).collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), key(1));
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_silent_issuer_is_not_waited_for_and_a_caller_who_leaves_stops_nobody() {
    let issuer = Issuer::start(Mood::Silent).await;
    let jwks = issuer.jwks();
    let start = Instant::now();
    assert_eq!(jwks.find("a", start).await, Err(KeysUnavailable));
    assert!(start.elapsed() < TIMEOUT + Duration::from_secs(1));

    issuer.turns(Mood::Keys(vec![("a", 1)]));
    let later = start + Duration::from_secs(10);
    let leaves = jwks.find("a", later).now_or_never();
    assert_eq!(leaves, None);
    assert_eq!(jwks.find("a", later).await, key(1));
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes() {
    let path = std::env::temp_dir().join(format!("jwks-{}.json", std::process::id()));
    let write = |keys| std::fs::write(&path, document(keys)).unwrap();
    let jwks = Jwks::file(path.clone(), Algorithm::USUAL.into_iter().collect());
    let start = Instant::now();
    let at = |s| start + Duration::from_secs(s);
    assert_eq!(jwks.find("a", at(0)).await, Err(KeysUnavailable));
    write(&[("a", 1)]);
    assert_eq!(jwks.find("a", at(1)).await, key(1));
    write(&[("a", 1), ("b", 2)]);
    assert_eq!(jwks.find("b", at(2)).await, key(2));
    std::fs::write(&path, "half of").unwrap();
    assert_eq!(jwks.find("b", at(3)).await, key(2), "the last good one");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(jwks.find("b", at(3_601)).await, key(2));
    assert_eq!(jwks.find("b", at(3_602)).await, Err(KeysUnavailable));
}

#[test]
fn only_a_url_that_nobody_else_can_answer_is_taken() {
    for (url, good) in [
        ("https://login.example/keys", true),
        ("http://127.0.0.1:8080/keys", true),
        ("http://[::1]/keys", true),
        ("http://localhost/keys", true),
        ("http://login.example/keys", false),
        ("http://127.0.0.1.evil.example/keys", false),
        ("https://user:password@login.example/keys", false),
        ("file:///etc/passwd", false),
        ("keys.json", false),
    ] {
        let made = Jwks::url(url, BTreeSet::new());
        // A machine without root certificates cannot make an HTTPS client at all.
        let made = matches!(made, Ok(_) | Err(KeySourceError::Client(_)));
        assert_eq!(made, good, "{url}");
    }
}
