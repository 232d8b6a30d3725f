//! A tenant with the duties that lead from news to a completed run.

use std::sync::Arc;
use std::time::Duration;

use jobengine_domain::caller::Caller;
use jobengine_domain::digest::Digest;
use jobengine_domain::dsse::SigningKey;
use jobengine_domain::id::{RunId, SessionId, TenantId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::state::Report;
use jobengine_duties::completion::Completing;
use jobengine_duties::driver::Duty as _;
use jobengine_duties::planner::{EVALUATE, Planner, STREAM, Window};
use jobengine_duties::scheduler_metrics::SchedulerMetrics;
use jobengine_impact::advisory::osv;
use jobengine_impact::evaluate::evaluate;
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::sbom;
use jobengine_impact::segment::SegmentSize;
use jobengine_impact::segment_input::SegmentSubject;
use jobengine_impact::segment_result::{ARTIFACT, SegmentResult};
use jobengine_queue::Local;
use jobengine_store::testing::{TestClock, TestDatabase};
use jobengine_store::{
    Grant, ImageNames, ImpactIndexes, ImpactRunRecord, Intake, JobReport, Store, TypeClaim,
    WorkerSession,
};
use jobengine_telemetry::Registry;
use jobengine_telemetry::trace::Traces;
use uuid::Uuid;

pub(super) const SESSION: SessionId = SessionId(Uuid::from_u128(0x51));

pub(super) struct Flow {
    _database: TestDatabase,
    pub(super) store: Store,
    pub(super) caller: Caller,
    pub(super) planner: Planner,
    pub(super) completing: Completing,
    pub(super) key: Arc<SigningKey>,
    pub(super) registry: Registry,
}

impl Flow {
    pub(super) async fn open() -> Self {
        Self::traced(&Traces::default()).await
    }

    pub(super) async fn traced(traces: &Traces) -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await.observed(&Registry::new(), traces);
        Self::over(database, store).await
    }

    /// With a clock that the test moves.
    pub(super) async fn timed() -> (Self, TestClock) {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        let clock = TestClock::at(store.now().await.unwrap());
        let store = store.with_clock(clock.clone());
        (Self::over(database, store).await, clock)
    }

    async fn over(database: TestDatabase, store: Store) -> Self {
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

    pub(super) async fn image(&self, name: &str, purls: &[&str]) -> Digest {
        let parts: Vec<_> = purls
            .iter()
            .map(|purl| format!(r#"{{"type":"library","purl":"{purl}"}}"#))
            .collect();
        let document = format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}]}}"#,
            parts.join(",")
        );
        let names = ImageNames {
            repository: Some(name.to_owned()),
            ..ImageNames::default()
        };
        self.sbom(name, &names, &document).await
    }

    /// Stores a document as the SBOM of the image that `name` stands for.
    pub(super) async fn sbom(&self, name: &str, names: &ImageNames, document: &str) -> Digest {
        let image = Digest::of(name.as_bytes());
        let tx = self.store.begin(&self.caller).await.unwrap();
        let sbom = sbom::read(document.as_bytes()).unwrap();
        tx.sbom_put(image, names, &sbom, document.as_bytes())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        image
    }

    pub(super) async fn advisories(&self, records: &[String]) {
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

    pub(super) async fn kev(&self, cves: &[&str]) {
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
    pub(super) async fn all_in_sight(&self) {
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
    pub(super) async fn turn(&self) -> Option<ImpactRunRecord> {
        self.all_in_sight().await;
        self.turn_in_sight().await
    }

    /// The same for what the reader of the stream can see.
    pub(super) async fn turn_in_sight(&self) -> Option<ImpactRunRecord> {
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
    pub(super) async fn evaluate(&self, max: usize) -> Vec<RunId> {
        self.evaluate_with(max, SegmentResult::to_bytes).await
    }

    /// The same, with `write` for what is uploaded of a result.
    pub(super) async fn evaluate_with(
        &self,
        max: usize,
        write: impl Fn(&SegmentResult) -> Vec<u8>,
    ) -> Vec<RunId> {
        let grants = self.claim(max).await;
        self.report(&grants, write).await;
        grants.iter().filter_map(|grant| grant.run).collect()
    }

    /// Takes up to `max` segments.
    pub(super) async fn claim(&self, max: usize) -> Vec<Grant> {
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
            .lease_claim(&[TypeClaim::of(EVALUATE, &vec![SESSION; max])])
            .await
            .unwrap()
            .concat();
        tx.commit().await.unwrap();
        grants
    }

    async fn report(&self, grants: &[Grant], write: impl Fn(&SegmentResult) -> Vec<u8>) {
        for grant in grants {
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
    }
}

pub(super) fn advisory(id: &str, cve: &str, package: &str, fixed: &str) -> String {
    format!(
        r#"{{"id":"{id}","aliases":["{cve}"],"modified":"2024-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"{package}"}},
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}],
            "database_specific":{{}}}}],"database_specific":{{"severity":"CRITICAL"}}}}"#
    )
}
