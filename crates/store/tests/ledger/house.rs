//! A ledger with one tenant, and hands that act on it as the server would.

use jobengine_domain::caller::Caller;
use jobengine_domain::class::FailureClass;
use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::defaults::{ATTEMPTS, CRASH_ATTEMPTS};
use jobengine_domain::id::{JobId, RunId, SessionId, TenantId};
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::priority::Priority;
use jobengine_domain::state::Report;
use jobengine_store::testing::TestDatabase;
use jobengine_store::{
    Beat, Grant, Heartbeat, JobReport, LeaseToken, NewJob, NewRun, Reported, Store, TypeClaim,
    WorkerSession,
};
use uuid::Uuid;

pub(crate) struct Ledger {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    pub(crate) caller: Caller,
}

pub(crate) const SESSION: SessionId = SessionId(Uuid::from_u128(0x51));

impl Ledger {
    pub(crate) async fn open() -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        let tenant = TenantId(Uuid::from_u128(0xa));
        store.tenant_create(tenant, "a", 1).await.unwrap();
        Self {
            database,
            store,
            caller: Caller::system(tenant),
        }
    }

    pub(crate) async fn submit(&self, jobs: &[NewJob]) -> Vec<JobId> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let ids = tx.jobs_submit(None, jobs).await.unwrap();
        tx.commit().await.unwrap();
        ids
    }

    pub(crate) async fn run(&self, jobs: &[NewJob]) -> (RunId, Vec<JobId>) {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let run = NewRun {
            trigger: "manual".into(),
            project: None,
            source: None,
            correlation_id: "c".into(),
            traceparent: None,
        };
        let made = tx.run_create(&run, jobs).await.unwrap();
        tx.commit().await.unwrap();
        made
    }

    pub(crate) async fn claim(&self, limit: u32) -> Vec<Grant> {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let session = WorkerSession {
            id: SESSION,
            worker: "w".into(),
            subject: self.caller.subject.clone(),
            slots: None,
        };
        let lease = LeaseMs::new(30_000).unwrap();
        assert_eq!(tx.sessions_open(&[session], lease).await.unwrap().len(), 1);
        tx.lease_promote(&["t"], limit).await.unwrap();
        let takers = vec![SESSION; limit as usize];
        let claim = [TypeClaim::of("t", &takers)];
        let mut grants = tx.lease_claim(&claim).await.unwrap().concat();
        if let (true, Some((of, from))) = (grants.is_empty(), tx.lease_alone(&["t"]).await.unwrap())
        {
            grants.extend(tx.lease_claim_alone(&of, from, SESSION).await.unwrap());
        }
        tx.commit().await.unwrap();
        grants
    }

    pub(crate) async fn beat(&self, subject: &str, held: &[(JobId, LeaseToken)]) -> Heartbeat {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let beat = Beat {
            session: SESSION,
            subject: subject.into(),
            held: held.to_vec(),
            progress: Vec::new(),
        };
        let mut answers = tx.sessions_heartbeat(&[beat]).await.unwrap();
        tx.commit().await.unwrap();
        answers.remove(0)
    }

    pub(crate) async fn report(&self, grant: &Grant, report: Report) -> Reported {
        let tx = self.store.begin(&self.caller).await.unwrap();
        let report = JobReport {
            job: grant.job,
            token: grant.token,
            report,
            detail: None,
            result: None,
        };
        let answers = tx.jobs_complete(&[report]).await.unwrap();
        tx.commit().await.unwrap();
        answers.into_iter().next().unwrap()
    }

    pub(crate) async fn state(&self, job: JobId) -> String {
        let tx = self.store.begin(&self.caller).await.unwrap();
        tx.job_find(job).await.unwrap().unwrap().state
    }

    /// Lets time pass for all sessions and delays: what waits for the clock is due.
    pub(crate) async fn pass_time(&self) {
        self.sql(
            "UPDATE orch.worker_session SET lease_until = now() - interval '1 s';
             UPDATE orch.lease SET granted_at = granted_at - interval '1 h';
             UPDATE orch.delayed SET ready_at = now() - interval '1 s'",
        )
        .await;
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let (client, connection) = self
            .database
            .super_config()
            .connect(tokio_postgres::NoTls)
            .await
            .unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        driver.await.unwrap().unwrap();
    }
}

pub(crate) fn job() -> NewJob {
    NewJob {
        key: String::new(),
        job_type: "t".into(),
        priority: Priority::Normal,
        payload: "{}".into(),
        max_attempts: ATTEMPTS,
        max_crashes: CRASH_ATTEMPTS,
        not_before: None,
        deadline: None,
        correlation_id: "c".into(),
        project: None,
        source: None,
        tags: Vec::new(),
        traceparent: None,
        replay_of: None,
        parents: Vec::new(),
    }
}

pub(crate) fn child(parents: &[(usize, EdgePolicy)]) -> NewJob {
    NewJob {
        parents: parents.to_vec(),
        ..job()
    }
}

pub(crate) fn failed(class: FailureClass) -> Report {
    Report::Failed {
        class,
        retry_after_ms: None,
    }
}

pub(crate) fn repeated(state: &str) -> Reported {
    Reported::Repeated {
        state: state.into(),
    }
}

pub(crate) fn contradicted(state: &str) -> Reported {
    Reported::Contradicted {
        state: state.into(),
    }
}

pub(crate) fn accepted(state: &str) -> Reported {
    Reported::Accepted {
        state: state.into(),
    }
}
