//! A stream goes on where another way of reading was, for as long as events are kept.

use serde_json::json;

use super::reader::Stream;
use crate::service::{Service, job, report};

#[tokio::test]
async fn a_stream_tells_what_happens_and_goes_on_from_every_id() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut stream = Stream::open(&ours, "/events/stream", None).await;
    let id = ours.submit(json!([job()])).await.remove(0);
    let grant = ours.claim(1, 0).await.remove(0);
    ours.complete(json!([report(&grant, "succeeded")]))
        .await
        .ok(200);
    let all = stream.take_events(3).await;
    let kinds: Vec<&str> = all.iter().map(|sent| sent.event.as_str()).collect();
    assert_eq!(kinds, ["job.submitted", "job.leased", "job.succeeded"]);
    for sent in &all {
        let data = &sent.data;
        assert_eq!(data["schemaVersion"], "orch.event.v1");
        assert_eq!(data["eventType"], sent.event.as_str());
        assert_eq!(data["job"]["id"], id.as_str());
        assert_eq!(data["tenantId"], crate::service::OURS.to_string());
        assert!(!data["correlationId"].as_str().unwrap().is_empty());
        assert!(
            data.get("projectId").is_some(),
            "said, also when there is none"
        );
        assert_eq!(data["notifier"]["delivery"], "stream");
    }
    assert_eq!(all[1].data["job"]["leaseId"], grant["leaseId"]);
    assert_eq!(all[2].data["job"]["leaseId"], grant["leaseId"]);
    assert_eq!(
        all[2].data["job"]["taskRunnerId"],
        crate::service::SESSION.to_string()
    );
    assert_eq!(
        all[2].data["actor"],
        json!({"subject": "ours", "scopes": ["orch:worker"]})
    );
    for (at, from) in all.iter().enumerate() {
        let left = all.len() - at - 1;
        let mut again = Stream::open(&ours, "/events/stream", Some(&from.id)).await;
        assert_eq!(again.take_events(left).await, all[at + 1..], "after {at}");
        let path = format!("/events/stream?after={}", from.id);
        let mut again = Stream::open(&ours, &path, None).await;
        assert_eq!(again.take_events(left).await, all[at + 1..]);
        let page = ours
            .get(&format!("/events?continuationToken={}", from.id))
            .await
            .ok(200);
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            left,
            "a list goes on where a stream was"
        );
    }
    let mut oldest = Stream::open(&ours, "/events/stream?from=oldest", None).await;
    assert_eq!(oldest.take_events(3).await, all);
}

#[tokio::test]
async fn a_cursor_beyond_what_is_kept_has_expired() {
    let service = Service::start().await;
    let ours = service.ours();
    let mut stream = Stream::open(&ours, "/events/stream", None).await;
    let before = stream.id.clone();
    ours.submit(json!([job(), job()])).await;
    let first = stream.next().await.unwrap();
    let second = stream.next().await.unwrap();
    let tenant = crate::service::OURS;
    service
        .sql(&format!(
            "WITH gone AS (DELETE FROM orch.event WHERE tenant_id = '{tenant}' RETURNING txid, event_id)
             INSERT INTO orch.event_trim SELECT '{tenant}', txid, event_id, now() FROM gone ORDER BY 2 DESC, 3 DESC LIMIT 1"
        ))
        .await;
    for cursor in [&before, &first.id] {
        let refused = ours.get(&format!("/events/stream?after={cursor}")).await;
        assert_eq!(refused.problem(), (410, "EVENT_CURSOR_EXPIRED"));
        let refused = ours
            .get(&format!("/events?continuationToken={cursor}"))
            .await;
        assert_eq!(refused.problem(), (410, "EVENT_CURSOR_EXPIRED"));
    }
    let mut whole = Stream::open(&ours, "/events/stream", Some(&second.id)).await;
    ours.submit(json!([job()])).await;
    assert_eq!(whole.next().await.unwrap().event, "job.submitted");
    assert_eq!(
        ours.get("/events").await.ok(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
