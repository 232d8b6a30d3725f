//! Those who show bad credentials are slowed, and nobody else.

use std::sync::atomic::{AtomicU32, Ordering};

use jobengine_domain::caller::Scope;
use reqwest::Method;

use super::door::Door;
use crate::service::{Answer, OURS, send};

/// Failures of an address that cost it nothing.
const FREE: u32 = 20;

async fn knock(door: &Door, address: &str, credential: &str) -> Answer {
    let request = door.from(address, Method::GET, "/jobs");
    send(request.header("authorization", format!("Bearer {credential}"))).await
}

#[tokio::test]
async fn an_address_is_heard_no_more_after_many_failures() {
    let door = Door::open().await;
    let token = |subject| {
        let minted = door.service.acting(subject, OURS, Scope::ALL);
        minted.token().to_owned()
    };
    let (known, fresh) = (token("known"), token("fresh"));
    let here = "192.0.2.7";
    assert_eq!(knock(&door, here, &known).await.status, 200);
    let next = AtomicU32::new(0);
    let bad = || format!("a.b.{}", next.fetch_add(1, Ordering::Relaxed));
    // Nothing shown is nothing tried.
    for _ in 0..2 * FREE {
        let nothing = door.from(here, Method::GET, "/jobs");
        assert_eq!(send(nothing).await.status, 401);
    }
    for _ in 0..=FREE {
        assert_eq!(
            knock(&door, here, &bad()).await.problem(),
            (401, "UNAUTHENTICATED")
        );
    }
    let request = door.from(here, Method::GET, "/jobs");
    let slowed = request.bearer_auth(&fresh).send().await.unwrap();
    assert_eq!(
        slowed.status(),
        429,
        "even a good one, when it was not seen before"
    );
    let seconds: u32 = slowed.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    assert_eq!(
        knock(&door, here, &bad()).await.problem(),
        (429, "RATE_LIMITED")
    );
    assert_eq!(
        knock(&door, here, &known).await.status,
        200,
        "who was known stays so"
    );
    assert_eq!(knock(&door, "192.0.2.8", &fresh).await.status, 200);
    // What nobody believes does not move an address: the header's left side is anybody's.
    let forged = knock(&door, "198.51.100.1, 192.0.2.7", "a.b.c").await;
    assert_eq!(forged.status, 429);
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    assert_eq!(
        knock(&door, here, &fresh).await.status,
        200,
        "the pause is over"
    );
    assert_eq!(knock(&door, here, &bad()).await.status, 401);
    assert_eq!(
        knock(&door, here, &bad()).await.status,
        429,
        "and the next one longer"
    );
}

#[tokio::test]
async fn who_repeats_one_bad_token_pauses_no_neighbour() {
    let door = Door::open().await;
    let fresh = door.service.acting("fresh", OURS, Scope::ALL);
    let here = "192.0.2.9";
    for _ in 0..5 * FREE {
        let refused = knock(&door, here, "a.b.broken").await;
        assert_eq!(refused.problem(), (401, "UNAUTHENTICATED"));
    }
    assert_eq!(knock(&door, here, fresh.token()).await.status, 200);
}
