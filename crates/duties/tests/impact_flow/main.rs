//! From a changed advisory to a signed event, on a real PostgreSQL: duties, store and pure rules
//! together, without HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a test has nothing to decide when its set-up fails"
)]

mod metrics;
mod trace;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::{SigningKey, verify};
use jobengine_domain::id::{RunId, SessionId, TenantId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::state::Report;
use jobengine_domain::statement::STATEMENT_PAYLOAD_TYPE;
use jobengine_domain::webhook::Filter;
use jobengine_duties::completion::Completing;
use jobengine_duties::driver::Duty as _;
use jobengine_duties::outbox::Outbox;
use jobengine_duties::planner::{EVALUATE, Planner, STREAM, Window};
use jobengine_duties::scheduler_metrics::SchedulerMetrics;
use jobengine_duties::webhook::WebhookFanOut;
use jobengine_impact::advisory::osv;
use jobengine_impact::evaluate::evaluate;
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::sbom;
use jobengine_impact::segment::SegmentSize;
use jobengine_impact::segment_input::SegmentSubject;
use jobengine_impact::segment_result::{ARTIFACT, SegmentResult};
use jobengine_queue::Local;
use jobengine_store::secret::InstallationSecret;
use jobengine_store::testing::TestDatabase;
use jobengine_store::{
    ImageNames, ImpactIndexes, ImpactRunRecord, Intake, JobReport, NewWebhook, Store, WebhookSpec,
    WorkerSession, draw_webhook_secret,
};
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::Traces;
use uuid::Uuid;

const SESSION: SessionId = SessionId(Uuid::from_u128(0x51));

struct Flow {
    _database: TestDatabase,
    store: Store,
    caller: Caller,
    planner: Planner,
    completing: Completing,
    key: Arc<SigningKey>,
    registry: Registry,
}

impl Flow {
    async fn open() -> Self {
        Self::traced(&Traces::default()).await
    }

    async fn traced(traces: &Traces) -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await.observed(&Registry::new(), traces);
        let tenant = TenantId(Uuid::from_u128(0xa));
        store.tenant_create(tenant, "a", 1).await.unwrap();
        let key = Arc::new(SigningKey::from_seed(&[7; 32]).unwrap());
        let window = Window {
            quiet: Duration::ZERO,
            longest: Duration::ZERO,
        };
        let size = SegmentSize::new(2).unwrap();
        let indexes = Arc::new(ImpactIndexes::default());
        let registry = Registry::new();
        let metrics = SchedulerMetrics::new(&registry);
        let queue = Arc::new(Local::new());
        let planned = metrics.clone();
        Self {
            planner: Planner::new(store.clone(), indexes, queue, window, size, planned),
            completing: Completing::new(store.clone(), Arc::clone(&key), metrics),
            registry,
            caller: Caller::system(tenant),
            _database: database,
            store,
            key,
        }
    }

    async fn image(&self, name: &str, purls: &[&str]) -> Digest {
        let parts: Vec<_> = purls
            .iter()
            .map(|purl| format!(r#"{{"type":"library","purl":"{purl}"}}"#))
            .collect();
        let document = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}]}}"#,
            parts.join(",")
        );
        let image = Digest::of(name.as_bytes());
        let names = ImageNames {
            repository: Some(name.to_owned()),
            ..ImageNames::default()
        };
        let tx = self.store.begin(&self.caller).await.unwrap();
        let sbom = sbom::read(document.as_bytes()).unwrap();
        tx.sbom_put(image, &names, &sbom, document.as_bytes())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        image
    }

    async fn advisories(&self, records: &[String]) {
        let records: Vec<_> = records
            .iter()
            .map(|record| osv::read(record.as_bytes()).unwrap())
            .collect();
        let tx = self.store.begin(&self.caller).await.unwrap();
        let source = tx.source_ensure("osv").await.unwrap();
        tx.advisories_put(source, Intake::Snapshot, &records)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn kev(&self, cves: &[&str]) {
        let entries = cves
            .iter()
            .map(|cve| ((*cve).to_owned(), "2024-01-01".to_owned()))
            .collect();
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.kev_put(&KevCatalogue { entries }).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Waits until the reader of the stream can see all that is written: it stays behind every
    /// transaction of the server that is still open, those of other tests included.
    async fn all_in_sight(&self) {
        for _ in 0..3_000 {
            let tx = self.store.begin(&self.caller).await.unwrap();
            let from = tx.cursor_get(STREAM).await.unwrap();
            let seen = tx.changes_page(&from, 1_000).await.unwrap().len();
            let (written, _) = tx.changes_pending(STREAM).await.unwrap();
            tx.commit().await.unwrap();
            if seen as u64 == written {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("some transaction stays open");
    }

    /// Plans all that is written, evaluates every segment as a worker would, completes; the run, if
    /// there was one.
    async fn turn(&self) -> Option<ImpactRunRecord> {
        self.all_in_sight().await;
        self.turn_in_sight().await
    }

    /// The same for what the reader of the stream can see.
    async fn turn_in_sight(&self) -> Option<ImpactRunRecord> {
        let mut passes = 0;
        while self.planner.activate().await.unwrap().done == 0 {
            passes += 1;
            assert!(passes < 3_000, "there was news");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let runs = self.evaluate(100).await;
        let run = *runs.first()?;
        assert_eq!(self.completing.activate().await.unwrap().done, 1);
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.impact_run_find(run).await.unwrap()
    }

    /// Evaluates up to `max` segments as a worker would; their runs.
    async fn evaluate(&self, max: usize) -> Vec<RunId> {
        self.evaluate_with(max, SegmentResult::to_bytes).await
    }

    /// The same, with `write` for what is uploaded of a result.
    async fn evaluate_with(
        &self,
        max: usize,
        write: impl Fn(&SegmentResult) -> Vec<u8>,
    ) -> Vec<RunId> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let session = WorkerSession {
            id: SESSION,
            worker: "w".into(),
            subject: "system".into(),
            slots: None,
        };
        tx.sessions_open(&[session], LeaseMs::new(30_000).unwrap())
            .await
            .unwrap();
        let grants = tx
            .lease_claim(&vec![SESSION; max], EVALUATE, i64::MIN)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        for grant in &grants {
            let run = grant.run.unwrap();
            let payload: serde_json::Value = serde_json::from_str(&grant.payload).unwrap();
            let ordinal = u32::try_from(payload["ordinal"].as_u64().unwrap()).unwrap();
            let tx = self.store.begin(&self.caller).await.unwrap();
            let fence = tx
                .lease_check(grant.job, grant.token)
                .await
                .unwrap()
                .unwrap();
            let segment = tx.segments_get(run, Some(ordinal)).await.unwrap().remove(0);
            let input = tx.segment_input(run, &segment).await.unwrap();
            let matcher = Matcher::new(&input.advisories);
            let (scope, kev, vex) = (input.scope.clone(), input.kev.clone(), input.vex.clone());
            let subjects = input.into_images().unwrap();
            let found = evaluate(
                subjects.iter().map(SegmentSubject::input),
                &scope,
                &matcher,
                &kev,
                &vex,
            );
            let result = SegmentResult::new(segment.images.iter().copied(), found).unwrap();
            tx.artifact_put(
                grant.job,
                fence,
                ARTIFACT,
                "application/json",
                &write(&result),
            )
            .await
            .unwrap();
            let report = JobReport {
                job: grant.job,
                token: grant.token,
                report: Report::Succeeded,
                detail: None,
                result: None,
            };
            tx.jobs_complete(&[report]).await.unwrap();
            tx.commit().await.unwrap();
        }
        grants.iter().filter_map(|grant| grant.run).collect()
    }
}

fn advisory(id: &str, cve: &str, package: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","aliases":["{cve}"],"modified":"2024-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"{package}"}},
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}],
            "database_specific":{{}}}}],"database_specific":{{"severity":"CRITICAL"}}}}"#
    )
}

#[tokio::test]
async fn a_changed_advisory_is_evaluated_for_the_images_it_hits_and_no_others() {
    let flow = Flow::open().await;
    let one = flow
        .image("one", &["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"])
        .await;
    flow.image("two", &["pkg:npm/b@1.0.0"]).await;
    flow.image("three", &["pkg:npm/c@1.0.0"]).await;
    flow.advisories(&[advisory("X-1", "CVE-2024-1", "b", "2.0.0")])
        .await;
    let first = flow.turn().await.expect("all images are new");
    assert_eq!(
        (
            first.generation,
            first.segments,
            first.images_impacted,
            first.images_total
        ),
        (1, 2, 3, 3)
    );
    let delta = first.delta.unwrap();
    assert_eq!((delta.new, delta.fixed, delta.critical), (2, 0, 2));

    // `b` is no longer hit at 1.0.0, `a` is: image one is looked at for both, two for `b`, three not at all.
    flow.advisories(&[
        advisory("X-1", "CVE-2024-1", "b", "0.5.0"),
        advisory("X-2", "CVE-2024-2", "a", "1.1.0"),
    ])
    .await;
    let second = flow.turn().await.expect("two images are hit");
    assert_eq!(
        (
            second.generation,
            second.images_impacted,
            second.images_total
        ),
        (2, 2, 3)
    );
    assert_eq!(second.advisories_changed, 2);
    let delta = second.delta.unwrap();
    assert_eq!(
        (delta.new, delta.fixed, delta.critical, delta.kev),
        (1, 2, 1, 0)
    );

    // The exploit becomes known: the same finding, now with weight.
    flow.kev(&["CVE-2024-2", "CVE-1999-1"]).await;
    let third = flow.turn().await.expect("one image is hit");
    let delta = third.delta.unwrap();
    assert_eq!(
        (
            third.images_impacted,
            delta.new,
            delta.kev,
            third.priority.as_str()
        ),
        (1, 0, 1, "emergency")
    );

    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let (envelope, deltas) = tx.impact_run_completion(third.id).await.unwrap().unwrap();
    let (payload, _) = verify(
        envelope.as_bytes(),
        STATEMENT_PAYLOAD_TYPE,
        &[flow.key.public()],
    )
    .unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["subject"][0]["name"], "one");
    assert_eq!(statement["predicate"]["delta"]["kev"], 1);
    assert!(deltas.contains(&one.to_string()));
}

#[tokio::test]
async fn a_renamed_record_and_a_changed_text_are_no_work() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/b@1.0.0"]).await;
    flow.advisories(&[advisory("PYSEC-0000-1", "CVE-2024-1", "b", "2.0.0")])
        .await;
    flow.turn().await.expect("the image is new");
    flow.advisories(&[
        advisory("PYSEC-2024-9", "CVE-2024-1", "b", "2.0.0").replace("2024-01-01T", "2024-05-05T")
    ])
    .await;
    assert!(flow.turn().await.is_none());
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    assert_eq!(tx.impact_run_list(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_image_made_of_something_else_is_evaluated_for_everything() {
    let flow = Flow::open().await;
    flow.advisories(&[
        advisory("X-1", "CVE-2024-1", "a", "2.0.0"),
        advisory("X-2", "CVE-2024-2", "b", "2.0.0"),
    ])
    .await;
    flow.image("one", &["pkg:npm/a@1.0.0"]).await;
    flow.turn().await.expect("the image is new");
    flow.image("one", &["pkg:npm/a@2.0.0", "pkg:npm/b@1.0.0"])
        .await;
    let delta = flow.turn().await.expect("the image changed").delta.unwrap();
    assert_eq!((delta.new, delta.fixed), (1, 1));
}

/// A delta is planned while the change of an image is not visible to its reader yet, although the image is
/// pinned as it stands: what only the old SBOM listed must not stay behind.
#[tokio::test]
async fn an_image_that_changes_behind_a_delta_keeps_no_finding_of_its_old_sbom() {
    let flow = Flow::open().await;
    let record = |package: &str, fixed: &str| advisory("X-1", "CVE-2024-1", package, fixed);
    let other = advisory("X-2", "CVE-2024-2", "b", "2.0.0");
    flow.advisories(&[record("a", "2.0.0"), other.clone()])
        .await;
    flow.image("one", &["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"])
        .await;
    flow.turn().await.expect("the image is new");

    flow.advisories(&[
        record("a", "3.0.0"),
        advisory("X-3", "CVE-2024-3", "a", "3.0.0"),
        other,
    ])
    .await;
    // A transaction that stays open holds the reader back.
    let open = flow.store.begin(&flow.caller).await.unwrap();
    open.cursor_get("somebody").await.unwrap();
    flow.image("one", &["pkg:npm/c@1.0.0"]).await;
    let narrow = flow.turn_in_sight().await.expect("the image is hit");
    assert_eq!((narrow.generation, narrow.packages.len()), (2, 1));
    drop(open);
    flow.turn().await.expect("the image changed");

    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let packages = ["a", "b", "c"].map(|name| format!("npm/{name}").parse().unwrap());
    let left = tx.findings_get(&packages.into()).await.unwrap();
    assert_eq!(left.sets().count(), 0);
}

#[tokio::test]
async fn the_event_leaves_through_the_outbox_once() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/a@1.0.0"]).await;
    let run = flow.turn().await.expect("the image is new").id;
    let spool = tempfile::tempdir().unwrap();
    let outbox = Outbox::new(flow.store.clone(), spool.path().to_owned());
    assert_eq!(outbox.activate().await.unwrap().done, 1);
    assert_eq!(outbox.activate().await.unwrap().done, 0);
    let file = spool
        .path()
        .join(flow.caller.tenant.to_string())
        .join(format!("run-completion.{run}.dsse.json"));
    let envelope = std::fs::read(file).unwrap();
    assert!(verify(&envelope, STATEMENT_PAYLOAD_TYPE, &[flow.key.public()]).is_ok());
}

#[tokio::test]
async fn a_webhook_is_sent_the_signed_event_itself() {
    let flow = Flow::open().await;
    let new = NewWebhook {
        project: None,
        spec: WebhookSpec {
            name: "w".into(),
            url: "https://hooks.example.com/".into(),
            filter: Filter::new(["run.completed".to_owned()].into(), BTreeSet::new(), None)
                .unwrap(),
        },
        secret: draw_webhook_secret(),
    };
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let made = tx.webhook_create(&InstallationSecret::draw(), &new).await;
    let webhook = made.unwrap().unwrap();
    tx.commit().await.unwrap();
    flow.image("one", &["pkg:npm/a@1.0.0"]).await;
    let run = flow.turn().await.expect("the image is new").id;
    let fan_out = WebhookFanOut::new(flow.store.clone());
    let sent = loop {
        fan_out.activate().await.unwrap();
        let tx = flow.store.begin(&flow.caller).await.unwrap();
        let taken = tx.deliveries_take(webhook, 10, 60_000).await.unwrap();
        tx.commit().await.unwrap();
        if !taken.is_empty() {
            break taken;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].event_type, "run.completed");
    assert_eq!(sent[0].media_type, "application/vnd.dsse.envelope.v1+json");
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let (envelope, _) = tx.impact_run_completion(run).await.unwrap().unwrap();
    assert_eq!(sent[0].body, envelope.as_bytes());
    assert!(verify(&sent[0].body, STATEMENT_PAYLOAD_TYPE, &[flow.key.public()]).is_ok());
}
