use jobengine_domain::digest::Digest;
use jobengine_domain::event::{Actor, Delivery, Event, EventArtifact, EventJob, EventType};
use jobengine_domain::id::{EventId, JobId, ProjectId, RunId, SessionId, TenantId};
use jobengine_domain::time::Timestamp;
use serde_json::Value;

use super::*;

/// An event with everything in it.
fn full() -> Event {
    let id = Uuid::from_u128;
    Event {
        id: EventId(id(1)),
        kind: EventType::JobQueued,
        occurred_at: Timestamp::from_micros(0),
        tenant: TenantId(id(2)),
        project: Some(ProjectId(id(3))),
        correlation_id: Some("c".into()),
        actor: Some(Actor {
            subject: "w".into(),
            scope: Some("orch:worker".into()),
        }),
        run: Some(RunId(id(4))),
        job: Some(EventJob {
            id: JobId(id(5)),
            job_type: "t".into(),
            payload_digest: Digest::of(b""),
        }),
        attempt: Some(1),
        lease: Some(id(6)),
        session: Some(SessionId(id(7))),
        reason: Some("network".into()),
        artifacts: vec![EventArtifact {
            name: "a".into(),
            digest: Digest::of(b""),
            mime: "b".into(),
        }],
        duration_ms: Some(1),
        backoff_ms: Some(2),
    }
}

/// Every name in a value, with its path.
fn names(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}/{name}");
                found.push(path.clone());
                names(value, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, path, found)),
        _ => {}
    }
}

#[test]
fn the_description_has_the_names_of_the_envelope() {
    let text = |text: &str| text.to_owned();
    let described = EventView {
        schema_version: text(""),
        event_id: text(""),
        event_type: text(""),
        occurred_at: text(""),
        idempotency_key: text(""),
        correlation_id: text(""),
        tenant_id: Uuid::nil(),
        project_id: None,
        actor: ActorView {
            subject: text(""),
            scopes: Vec::new(),
        },
        job: EventJobView {
            id: Some(Uuid::nil()),
            r#type: Some(text("")),
            run_id: Some(Uuid::nil()),
            attempt: Some(1),
            lease_id: Some(Uuid::nil()),
            task_runner_id: Some(Uuid::nil()),
            status: Some(text("")),
            reason: Some(text("")),
            payload_digest: Some(text("")),
            artifacts: vec![EventArtifactView {
                uri: text(""),
                digest: text(""),
                mime: text(""),
            }],
        },
        metrics: EventMetricsView {
            duration_seconds: Some(1.0),
            log_stream_lag_seconds: None,
            backoff_seconds: Some(1.0),
        },
        notifier: NotifierView {
            channel: text(""),
            delivery: text(""),
            replay: Some(ReplayView {
                ordinal: 1,
                total: 1,
            }),
        },
    };
    let event = full();
    let way = Delivery::Webhook {
        ordinal: 1,
        total: 8,
    };
    let (mut ours, mut written) = (Vec::new(), Vec::new());
    names(&serde_json::to_value(described).unwrap(), "", &mut ours);
    names(
        &serde_json::to_value(event.envelope(way)).unwrap(),
        "",
        &mut written,
    );
    assert_eq!(ours, written);
}
