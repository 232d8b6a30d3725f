use serde_json::json;

use super::*;
use crate::class::FailureClass;
use crate::lease::Fence;
use crate::state::JobState;

fn event(kind: EventType) -> Event {
    Event {
        id: EventId(Uuid::from_u128(1)),
        kind,
        occurred_at: Timestamp::from_micros(1_767_225_600_000_001),
        tenant: TenantId(Uuid::from_u128(2)),
        project: None,
        correlation_id: None,
        actor: None,
        run: None,
        job: None,
        attempt: None,
        lease: None,
        session: None,
        reason: None,
        artifacts: Vec::new(),
        duration_ms: None,
        backoff_ms: None,
    }
}

fn of_job(kind: EventType) -> Event {
    Event {
        project: Some(ProjectId(Uuid::from_u128(3))),
        correlation_id: Some("c-81".into()),
        actor: Some(Actor {
            subject: "worker-7".into(),
            scope: Some("orch:worker".into()),
        }),
        run: Some(RunId(Uuid::from_u128(4))),
        job: Some(EventJob {
            id: JobId(Uuid::from_u128(5)),
            job_type: "scan".into(),
            payload_digest: Digest::of(b"{}"),
        }),
        attempt: Some(2),
        lease: Some(Uuid::from_u128(6)),
        session: Some(SessionId(Uuid::from_u128(7))),
        artifacts: vec![EventArtifact {
            name: "findings.json".into(),
            digest: Digest::of(b"[]"),
            mime: "application/json".into(),
        }],
        duration_ms: Some(1_250),
        ..event(kind)
    }
}

#[test]
fn every_move_of_a_job_has_its_event() {
    let queued = JobState::Queued {
        ready_at: Timestamp::from_micros(0),
        attempts: 0,
        crashes: 0,
    };
    let leased = JobState::Leased {
        attempt: 1,
        fence: Fence(1),
        crashes: 0,
    };
    let class = FailureClass::Network;
    for state in [
        queued,
        leased,
        JobState::Succeeded,
        JobState::Failed { class },
        JobState::Canceled,
        JobState::TimedOut,
        JobState::Skipped,
    ] {
        let kind: EventType = format!("job.{state}").parse().unwrap();
        assert_eq!(kind.status(), Some(state.as_str()));
    }
}

#[test]
fn the_envelope_of_an_ended_job_says_everything() {
    let event = of_job(EventType::JobSucceeded);
    assert_eq!(
        serde_json::to_value(event.envelope(Delivery::Stream)).unwrap(),
        json!({
            "schemaVersion": "orch.event.v1",
            "eventId": "urn:orch:event:00000000-0000-0000-0000-000000000001",
            "eventType": "job.succeeded",
            "occurredAt": "2026-01-01T00:00:00.000001Z",
            "idempotencyKey": "orch-job.succeeded-00000000-0000-0000-0000-000000000005-2-1767225600000001",
            "correlationId": "c-81",
            "tenantId": "00000000-0000-0000-0000-000000000002",
            "projectId": "00000000-0000-0000-0000-000000000003",
            "actor": {"subject": "worker-7", "scopes": ["orch:worker"]},
            "job": {
                "id": "00000000-0000-0000-0000-000000000005",
                "type": "scan",
                "runId": "00000000-0000-0000-0000-000000000004",
                "attempt": 2,
                "leaseId": "00000000-0000-0000-0000-000000000006",
                "taskRunnerId": "00000000-0000-0000-0000-000000000007",
                "status": "succeeded",
                "payloadDigest": Digest::of(b"{}").to_string(),
                "artifacts": [{
                    "uri": "/api/v1/orchestrator/jobs/00000000-0000-0000-0000-000000000005/artifacts/findings.json",
                    "digest": Digest::of(b"[]").to_string(),
                    "mime": "application/json",
                }],
            },
            "metrics": {"durationSeconds": 1.25},
            "notifier": {"channel": "orch.jobs", "delivery": "stream"},
        })
    );
}

#[test]
fn what_is_absent_has_its_stand_in() {
    let run = Event {
        run: Some(RunId(Uuid::from_u128(4))),
        reason: Some("partial".into()),
        ..event(EventType::RunFinished)
    };
    let envelope = serde_json::to_value(run.envelope(Delivery::List)).unwrap();
    assert_eq!(
        envelope["idempotencyKey"],
        "orch-run.finished-00000000-0000-0000-0000-000000000004-0-1767225600000001"
    );
    assert_eq!(envelope["job"]["status"], "partial");
    assert_eq!(
        envelope["actor"],
        json!({"subject": "system", "scopes": []})
    );
    assert_eq!(
        envelope["correlationId"],
        "00000000-0000-0000-0000-000000000001"
    );
    assert!(envelope["projectId"].is_null());
    let image = Event {
        reason: Some("sha256:ab".into()),
        ..event(EventType::ImageChanged)
    };
    assert_eq!(
        image.idempotency_key(),
        "orch-image.changed-sha256:ab-0-1767225600000001"
    );
}

#[test]
fn a_blocked_job_is_said_to_be() {
    for (reason, status) in [(None, "queued"), (Some("blocked"), "blocked")] {
        let event = Event {
            reason: reason.map(str::to_owned),
            ..of_job(EventType::JobSubmitted)
        };
        assert_eq!(event.status(), Some(status));
    }
}

#[test]
fn a_repeat_to_a_webhook_differs_only_in_its_number() {
    let event = of_job(EventType::JobLeased);
    let sent = |ordinal| {
        let way = Delivery::Webhook { ordinal, total: 8 };
        let mut value = serde_json::to_value(event.envelope(way)).unwrap();
        let replay = value["notifier"]["replay"].take();
        (value, replay)
    };
    assert_eq!(sent(1).0, sent(3).0);
    assert_eq!(sent(3).1, json!({"ordinal": 3, "total": 8}));
}

#[test]
fn types_are_read_as_they_are_written() {
    for kind in EventType::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
    }
    assert!("job.lost".parse::<EventType>().is_err());
}
