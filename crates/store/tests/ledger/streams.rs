//! Streams are read in commit order, whatever the numbers of their transactions look like as text.

use jobengine_store::Place;

use crate::house::Ledger;

/// Transactions 9, 10, 99 and 100, each with one row in both streams.
async fn ledger() -> Ledger {
    let ledger = Ledger::open().await;
    for txid in [99, 9, 100, 10] {
        let values = format!("'{}', '{txid}', gen_random_uuid()", ledger.caller.tenant);
        ledger
            .sql(&format!(
                "INSERT INTO orch.event (tenant_id, txid, event_id, kind, occurred_at, reason)
                 VALUES ({values}, 'image.changed', now(), '{txid}');
                 INSERT INTO orch.change (tenant_id, txid, change_id, kind, subject, created_at)
                 VALUES ({values}, 'advisory', '{txid}', now())"
            ))
            .await;
    }
    ledger
}

#[tokio::test]
async fn events_follow_the_order_of_commits() {
    let ledger = ledger().await;
    for limit in [1, 3, 10] {
        let (mut kinds, mut after) = (Vec::new(), Place::start());
        loop {
            let tx = ledger.store.begin(&ledger.caller).await.unwrap();
            let page = tx.events_page(&after, limit).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.place;
            kinds.extend(page.into_iter().filter_map(|record| record.event.reason));
        }
        assert_eq!(kinds, ["9", "10", "99", "100"], "{limit} at a time");
    }
}

#[tokio::test]
async fn changes_follow_the_order_of_commits() {
    let ledger = ledger().await;
    for limit in [1, 3, 10] {
        let (mut subjects, mut after) = (Vec::new(), Place::start());
        loop {
            let tx = ledger.store.begin(&ledger.caller).await.unwrap();
            let page = tx.changes_page(&after, limit).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.place;
            subjects.extend(page.into_iter().map(|change| change.subject));
        }
        assert_eq!(subjects, ["9", "10", "99", "100"], "{limit} at a time");
    }
}
