//! What is evaluated anew, and what is not.

use jobengine_domain::dsse::verify;
use jobengine_domain::statement::STATEMENT_PAYLOAD_TYPE;

use crate::flow::{Flow, advisory};

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
