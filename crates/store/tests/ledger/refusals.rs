//! Records that could not be read: listed per source, counted for whoever watches.

use jobengine_domain::digest::Digest;
use jobengine_impact::refusal::Seen;
use jobengine_store::{NewRefusal, RefusalEffect, RefusalFilter, RefusalKind};

use super::house::Ledger;

fn refusal(record: &str, effect: RefusalEffect) -> NewRefusal {
    NewRefusal {
        record: record.to_owned(),
        named: true,
        effect,
        code: "ADVISORY_FIELD_INVALID",
        place: "affected".to_owned(),
        detail: "odd".to_owned(),
        problems: 1,
        digest: Digest::of(record.as_bytes()),
    }
}

#[tokio::test]
async fn kinds_are_apart_and_counted_together_by_effect() {
    let ledger = Ledger::open().await;
    let tx = ledger.store.begin(&ledger.caller).await.unwrap();
    let source = tx.source_ensure("osv").await.unwrap();
    let of_both = [refusal("X-1", RefusalEffect::Refused)];
    let advisories = [
        refusal("X-1", RefusalEffect::Partial),
        refusal("X-2", RefusalEffect::Refused),
    ];
    for (kind, refusals) in [
        (RefusalKind::Vex, &of_both[..]),
        (RefusalKind::Advisory, &advisories),
    ] {
        tx.refusals_put(source, kind, Seen::All, refusals)
            .await
            .unwrap();
    }
    let all = tx
        .refusal_list(&RefusalFilter::default(), None, 10)
        .await
        .unwrap();
    let told: Vec<_> = all
        .iter()
        .map(|it| (it.kind.as_str(), it.record.as_str(), it.effect.as_str()))
        .collect();
    let expected = [
        ("advisory", "X-1", "partial"),
        ("advisory", "X-2", "refused"),
        ("vex", "X-1", "refused"),
    ];
    assert_eq!(told, expected);
    tx.commit().await.unwrap();
    let gauges = ledger.store.gauges().await.unwrap();
    assert_eq!(gauges.unread, [("refused", 2), ("partial", 1)]);
}
