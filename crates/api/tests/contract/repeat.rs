//! What must be said, and what comes of saying it twice.

use jobengine_domain::caller::Scope;
use reqwest::Response;
use serde_json::Value;

use crate::operation::guarded;
use crate::service::{OURS, Service};
use crate::world::World;

const REASON: &str = "X-Stella-Operator-Reason";
const TICKET: &str = "X-Stella-Operator-Ticket";
/// Its head goes out before anything is done: each slice of lines is kept under the key by itself, and
/// its own tests say how it is repeated.
const STREAMED: &str = "job_stream";
const KEY: &str = "Idempotency-Key";

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let problem: Value = response.json().await.unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default();
    (status, code.to_owned())
}

#[tokio::test]
async fn what_is_needed_is_asked_for() {
    let service = Service::start().await;
    let world = World::shared(&service).await;
    let us = Some((OURS, Scope::ALL));
    let mut seen = 0;
    for operation in guarded() {
        for (header, expected) in [
            (REASON, "REASON_REQUIRED"),
            (TICKET, "TICKET_REQUIRED"),
            (KEY, "IDEMPOTENCY_KEY_MISSING"),
        ] {
            if !operation
                .takes(header)
                .is_some_and(|header| header.required)
            {
                continue;
            }
            let mut call = operation.call(&world);
            call.headers.remove(header);
            let (status, code) = code(operation.send(&service, us, &call).await).await;
            assert_eq!(
                code, expected,
                "{} without {header}: {status}",
                operation.id
            );
            seen += 1;
        }
        if operation.audited {
            let mut call = operation.call(&world);
            call.headers
                .insert(KEY.to_owned(), "with a blank".to_owned());
            let answer = code(operation.send(&service, us, &call).await).await;
            let expected = (400, "IDEMPOTENCY_KEY_INVALID".to_owned());
            assert_eq!(answer, expected, "{}", operation.id);
        }
    }
    assert!(seen > 0, "no operation needs anything");
}

#[tokio::test]
async fn a_repeat_is_answered_as_before_and_another_request_under_its_key_is_not() {
    let service = Service::start().await;
    let us = Some((OURS, Scope::ALL));
    for operation in guarded().filter(|operation| operation.audited && operation.id != STREAMED) {
        let name = &operation.id;
        let world = World::make(&service, &operation).await;
        let mut call = operation.call(&world);
        let key = format!("repeat-{name}");
        call.headers.insert(KEY.to_owned(), key);
        let first = operation.send(&service, us, &call).await;
        assert!(
            first.headers().get("idempotency-replayed").is_none(),
            "{name}"
        );
        let first = (first.status(), first.bytes().await.unwrap());
        assert!(
            world.accepts(&operation, first.0.as_u16()),
            "{name}: {first:?}"
        );
        if !first.0.is_success() {
            // Nothing was found to change, and refusals are not kept.
            continue;
        }
        let again = operation.send(&service, us, &call).await;
        let replayed = again.headers().get("idempotency-replayed");
        assert!(
            replayed.is_some_and(|value| value == "true"),
            "{name}: {again:?}"
        );
        assert_eq!(
            (again.status(), again.bytes().await.unwrap()),
            first,
            "{name}"
        );

        // The same key, something else: another body, or without one another thing.
        if let Some((_, bytes)) = &mut call.body {
            bytes.insert(0, b' ');
        } else {
            let other = World::make(&service, &operation).await;
            call.path = operation.call(&other).path;
        }
        let answer = code(operation.send(&service, us, &call).await).await;
        let expected = (422, "IDEMPOTENCY_KEY_REUSED".to_owned());
        assert_eq!(answer, expected, "{name}");
    }
}
