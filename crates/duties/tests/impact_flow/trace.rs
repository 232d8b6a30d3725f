//! A trace goes on from the request that brought news into the segments that it caused.

use jobengine_domain::digest::Digest;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::trace::TraceContext;
use jobengine_duties::driver::Duty as _;
use jobengine_duties::planner::EVALUATE;
use jobengine_impact::sbom;
use jobengine_store::{ImageNames, TypeClaim, WorkerSession};
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::Traces;

use crate::flow::{Flow, SESSION};

const FIRST: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const SECOND: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

impl Flow {
    /// A new image, as a request of a trace brings it.
    async fn brought(&self, name: &str, cause: TraceContext) {
        let document = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","purl":"pkg:npm/b@1.0.0"}]}"#;
        let sbom = sbom::read(document.as_bytes()).unwrap();
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.caused_by(cause);
        let (image, names) = (Digest::of(name.as_bytes()), ImageNames::default());
        tx.sbom_put(image, &names, &sbom, document.as_bytes())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// The traces of the segments that wait, as a worker gets them.
    async fn segments(&self) -> Vec<TraceContext> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let session = WorkerSession {
            id: SESSION,
            worker: "w".into(),
            subject: "system".into(),
            slots: None,
        };
        let lease = LeaseMs::new(30_000).unwrap();
        tx.sessions_open(&[session], lease).await.unwrap();
        let takers = [SESSION; 10];
        let grants = tx
            .lease_claim(&[TypeClaim::of(EVALUATE, &takers)])
            .await
            .unwrap()
            .concat();
        tx.commit().await.unwrap();
        let traces = grants.iter().filter_map(|grant| grant.traceparent.as_ref());
        traces.map(|trace| trace.parse().unwrap()).collect()
    }
}

#[tokio::test]
async fn segments_are_part_of_the_trace_that_caused_them() {
    let (traces, mut queue) = Traces::queued(&Registry::new());
    let flow = Flow::traced(&traces).await;
    let (first, second): (TraceContext, TraceContext) =
        (FIRST.parse().unwrap(), SECOND.parse().unwrap());
    for (name, cause) in [("one", first), ("two", second), ("three", first)] {
        flow.brought(name, cause).await;
    }
    flow.all_in_sight().await;
    while flow.planner.activate().await.unwrap().done == 0 {}
    let segments = flow.segments().await;
    assert_eq!(segments.len(), 2);

    let spans = queue.taken();
    let plans: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "impact plan")
        .collect();
    let [plan] = plans.as_slice() else {
        panic!("{spans:#?}")
    };
    assert_eq!((plan.context.trace, plan.parent), (first.trace, first.span));
    assert_eq!(plan.links, [second]);
    assert!(plan.start <= plan.end);
    let waits = spans.iter().filter(|span| span.name == "job wait");
    for wait in waits {
        assert_eq!(wait.parent, plan.context.span, "{wait:?}");
    }
    for segment in segments {
        assert_eq!(segment.trace, first.trace);
    }
}

#[tokio::test]
async fn what_no_request_brought_has_no_trace() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/b@1.0.0"]).await;
    flow.all_in_sight().await;
    while flow.planner.activate().await.unwrap().done == 0 {}
    assert_eq!(flow.segments().await, []);
}
