//! The ledger against a real PostgreSQL: claims, reports, retries, expiries, dead letters.

use crate::house::{Ledger, SESSION, accepted, child, contradicted, failed, job, repeated};
use jobengine_domain::class::FailureClass;
use jobengine_domain::dag::EdgePolicy;
use jobengine_domain::id::SessionId;
use jobengine_domain::lease::LeaseMs;
use jobengine_domain::priority::Priority;
use jobengine_domain::state::Report;
use jobengine_store::{
    DeadLetterFilter, Directive, LeaseToken, NewJob, Reported, TypeClaim, WorkerSession,
};

#[tokio::test]
async fn a_job_is_claimed_once_and_its_first_report_counts() {
    let ledger = Ledger::open().await;
    let ids = ledger.submit(&[job(), job()]).await;
    let grants = ledger.claim(10).await;
    assert_eq!(
        grants.iter().map(|grant| grant.job).collect::<Vec<_>>(),
        ids
    );
    assert!(ledger.claim(10).await.is_empty());
    assert_eq!(
        ledger.report(&grants[0], Report::Succeeded).await,
        accepted("succeeded")
    );
    // The same token asks again: the first answer, no second effect.
    assert_eq!(
        ledger.report(&grants[0], Report::Succeeded).await,
        repeated("succeeded")
    );
    assert_eq!(
        ledger.report(&grants[0], failed(FailureClass::User)).await,
        contradicted("succeeded")
    );
    let mut forged = grants[1].clone();
    forged.token = LeaseToken::from_uuid(uuid::Uuid::from_u128(7));
    assert_eq!(
        ledger.report(&forged, Report::Succeeded).await,
        Reported::LeaseLost
    );
    assert_eq!(ledger.state(ids[1]).await, "leased");
}

#[tokio::test]
async fn more_urgent_bands_go_first() {
    let ledger = Ledger::open().await;
    let bands = [
        Priority::Low,
        Priority::Normal,
        Priority::Emergency,
        Priority::High,
    ];
    let jobs: Vec<NewJob> = bands
        .into_iter()
        .map(|priority| NewJob { priority, ..job() })
        .collect();
    let ids = ledger.submit(&jobs).await;
    let order: Vec<_> = ledger
        .claim(4)
        .await
        .into_iter()
        .map(|grant| grant.job)
        .collect();
    assert_eq!(order, [ids[2], ids[3], ids[1], ids[0]]);
}

#[tokio::test]
async fn a_failure_waits_for_its_backoff_and_ends_as_a_dead_letter() {
    let ledger = Ledger::open().await;
    let ids = ledger
        .submit(&[NewJob {
            max_attempts: 2,
            ..job()
        }])
        .await;
    let first = ledger.claim(1).await.remove(0);
    assert_eq!(
        ledger.report(&first, failed(FailureClass::Network)).await,
        accepted("queued")
    );
    assert!(
        ledger.claim(1).await.is_empty(),
        "the backoff has not passed"
    );
    ledger.pass_time().await;
    let second = ledger.claim(1).await.remove(0);
    assert_eq!((second.attempt, second.fence > first.fence), (2, true));
    assert_eq!(
        ledger.report(&second, failed(FailureClass::Network)).await,
        accepted("failed")
    );
    // The first attempt's worker asks again, long after.
    assert_eq!(
        ledger.report(&first, failed(FailureClass::Network)).await,
        repeated("queued")
    );
    assert_eq!(
        ledger.report(&first, Report::Succeeded).await,
        contradicted("queued")
    );
    assert_eq!(ledger.state(ids[0]).await, "failed");
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let attempts = tx.job_attempts(&[ids[0]]).await.unwrap();
    assert_eq!(attempts.len(), 2);
    let letters = tx
        .dead_letter_list(&DeadLetterFilter::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(
        letters.iter().map(|letter| letter.job).collect::<Vec<_>>(),
        ids
    );
    assert_eq!(letters[0].class, FailureClass::Network);
}

#[tokio::test]
async fn a_silent_worker_loses_its_jobs_and_its_late_report_is_refused() {
    let ledger = Ledger::open().await;
    ledger.submit(&[job()]).await;
    let lost = ledger.claim(1).await.remove(0);
    ledger.pass_time().await;
    assert_eq!(
        ledger.store.sessions_expired().await.unwrap(),
        [ledger.caller.tenant]
    );
    assert_eq!(
        ledger.store.reap(ledger.caller.tenant, 100).await.unwrap(),
        1
    );
    assert!(ledger.store.sessions_expired().await.unwrap().is_empty());
    ledger.pass_time().await;
    let again = ledger.claim(1).await.remove(0);
    assert_eq!(again.attempt, 2);
    // The zombie is told what its attempt came to; the successor's lease stays untouched.
    assert_eq!(
        ledger.report(&lost, Report::Succeeded).await,
        Reported::LeaseLost
    );
    assert_eq!(
        ledger.report(&again, Report::Succeeded).await,
        accepted("succeeded")
    );
}

#[tokio::test]
async fn a_job_that_makes_its_workers_vanish_is_poison() {
    let ledger = Ledger::open().await;
    let ids = ledger.submit(&[job()]).await;
    for _ in 0..3 {
        ledger.pass_time().await;
        assert_eq!(ledger.claim(1).await.len(), 1);
        ledger.pass_time().await;
        ledger.store.reap(ledger.caller.tenant, 100).await.unwrap();
    }
    assert_eq!(ledger.state(ids[0]).await, "failed");
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    assert_eq!(
        tx.job_find(ids[0]).await.unwrap().unwrap().class,
        Some(FailureClass::Poison)
    );
}

#[tokio::test]
async fn a_heartbeat_holds_what_the_worker_knows_and_gives_back_what_it_does_not() {
    let ledger = Ledger::open().await;
    ledger.submit(&[job(), job()]).await;
    let grants = ledger.claim(2).await;
    let beat = async |held: &[_]| ledger.beat("system", held).await;
    let both: Vec<_> = grants
        .iter()
        .map(|grant| (grant.job, grant.token))
        .collect();
    assert_eq!(beat(&both).await.directives, [Directive::Continue; 2]);
    // A claim's answer that is still under way is left alone for the time of one lease.
    beat(&both[..1]).await;
    assert_eq!(ledger.state(grants[1].job).await, "leased");
    ledger
        .sql("UPDATE orch.lease SET granted_at = granted_at - interval '1 h'")
        .await;
    assert_eq!(beat(&both[..1]).await.directives, [Directive::Continue]);
    assert_eq!(ledger.state(grants[1].job).await, "queued");
    assert_eq!(
        beat(&both).await.directives,
        [Directive::Continue, Directive::LeaseLost]
    );
}

#[tokio::test]
async fn a_released_job_is_ready_at_once_and_its_attempt_not_counted() {
    let ledger = Ledger::open().await;
    ledger.submit(&[job()]).await;
    let first = ledger.claim(1).await.remove(0);
    assert_eq!(
        ledger.report(&first, Report::Released).await,
        accepted("queued")
    );
    let second = ledger.claim(1).await.remove(0);
    assert_eq!(second.attempt, 1);
    assert!(second.fence > first.fence);
}

#[tokio::test]
async fn another_principal_cannot_use_a_session() {
    let ledger = Ledger::open().await;
    ledger.submit(&[job()]).await;
    let grant = ledger.claim(1).await.remove(0);
    let answer = ledger.beat("stranger", &[(grant.job, grant.token)]).await;
    assert_eq!(answer.directives, [Directive::LeaseLost]);
    let session = |subject: &str| WorkerSession {
        id: SESSION,
        worker: "w".into(),
        subject: subject.into(),
        slots: None,
    };
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let lease = LeaseMs::new(30_000).unwrap();
    let open = tx.sessions_open(&[session("stranger")], lease).await;
    assert!(open.unwrap().is_empty());
}

#[tokio::test]
async fn concurrent_claimers_never_share_a_job() {
    let ledger = Ledger::open().await;
    ledger.submit(&vec![job(); 400]).await;
    let claims = (0..8).map(|_| async {
        let mut jobs = Vec::new();
        loop {
            let grants = ledger.claim(7).await;
            if grants.is_empty() {
                break jobs;
            }
            jobs.extend(grants.into_iter().map(|grant| grant.job));
        }
    });
    let mut jobs = futures_util::future::join_all(claims).await.concat();
    assert_eq!(jobs.len(), 400);
    jobs.sort_unstable();
    jobs.dedup();
    assert_eq!(jobs.len(), 400);
}

#[tokio::test]
async fn a_canceled_run_ends_wherever_its_jobs_stand() {
    let ledger = Ledger::open().await;
    let later = NewJob {
        not_before: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        ..job()
    };
    let (run, ids) = ledger
        .run(&[job(), job(), later, child(&[(0, EdgePolicy::Require)])])
        .await;
    let held = ledger.claim(1).await.remove(0);
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    assert_eq!(tx.run_cancel(run).await.unwrap(), 4);
    tx.commit().await.unwrap();
    for id in ids {
        assert_eq!(ledger.state(id).await, "canceled");
    }
    assert_eq!(
        ledger.report(&held, Report::Succeeded).await,
        Reported::LeaseLost
    );
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    assert_eq!(tx.run_find(run).await.unwrap().unwrap().state, "canceled");
}

#[tokio::test]
async fn a_deadline_ends_what_waits_and_what_runs() {
    let ledger = Ledger::open().await;
    let soon = NewJob {
        deadline: Some("2000-01-01T00:00:00Z".parse().unwrap()),
        ..job()
    };
    let ids = ledger.submit(&[soon.clone(), soon]).await;
    let held = ledger.claim(1).await.remove(0);
    assert_eq!(
        ledger.store.tenants_overdue().await.unwrap(),
        [ledger.caller.tenant]
    );
    assert_eq!(
        ledger
            .store
            .time_out(ledger.caller.tenant, 10)
            .await
            .unwrap(),
        2
    );
    for id in ids {
        assert_eq!(ledger.state(id).await, "timed_out");
    }
    assert_eq!(
        ledger.report(&held, Report::Succeeded).await,
        Reported::LeaseLost
    );
}

#[tokio::test]
async fn one_claim_deals_jobs_to_its_takers_in_turn() {
    let ledger = Ledger::open().await;
    let ids = ledger.submit(&[job(), job(), job()]).await;
    let other = SessionId(uuid::Uuid::from_u128(0x52));
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let takers = [SESSION, other, SESSION, other];
    let grants = tx
        .lease_claim(&[TypeClaim::of("t", &takers)])
        .await
        .unwrap()
        .concat();
    let dealt: Vec<_> = grants
        .iter()
        .map(|grant| (grant.job, grant.session))
        .collect();
    assert_eq!(
        dealt,
        [(ids[0], SESSION), (ids[1], other), (ids[2], SESSION)]
    );
}

#[tokio::test]
async fn a_transaction_tells_what_it_made_ready() {
    let ledger = Ledger::open().await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let later = NewJob {
        not_before: Some("2999-01-01T00:00:00Z".parse().unwrap()),
        ..job()
    };
    let urgent = NewJob {
        priority: Priority::High,
        ..job()
    };
    tx.jobs_submit(None, &[job(), later, urgent]).await.unwrap();
    let ready = tx.ready();
    assert_eq!(ready.len(), 1);
    assert_eq!((ready[0].job_type.as_str(), ready[0].jobs), ("t", 2));
    tx.commit().await.unwrap();
    let first = ledger.claim(1).await.remove(0);
    assert_eq!(first.sort_key, ready[0].from);
}
