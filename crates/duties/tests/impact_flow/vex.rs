//! What VEX documents say counts, wherever they stand and however they name a product.

use jobengine_impact::vex::openvex;
use jobengine_store::ImageNames;

use crate::flow::{Flow, advisory};

impl Flow {
    /// Stores a statement that the product is not affected by `CVE-2024-1`, at a location.
    async fn unaffected(&self, location: &str, product: &str) {
        let said = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://hub.example/1","timestamp":"2024-01-01T00:00:00Z",
                "statements":[{{"vulnerability":{{"name":"CVE-2024-1"}},"products":[{{"@id":"{product}"}}],
                    "status":"not_affected"}}]}}"#
        );
        let said = openvex::read(said.as_bytes()).unwrap();
        let tx = self.store.begin(&self.caller).await.unwrap();
        let source = tx.source_ensure("hub").await.unwrap();
        tx.vex_put(source, location, "https://hub.example/1", &said)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// How many findings a run brings and takes away.
    async fn news(&self) -> (u64, u64) {
        let delta = self.turn().await.unwrap().delta.unwrap();
        (delta.new, delta.fixed)
    }
}

#[tokio::test]
async fn documents_of_one_id_at_two_locations_both_count() {
    let flow = Flow::open().await;
    flow.image("one", &["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"])
        .await;
    flow.advisories(&[
        advisory("X-1", "CVE-2024-1", "a", "2.0.0"),
        advisory("X-2", "CVE-2024-1", "b", "2.0.0"),
    ])
    .await;
    assert_eq!(flow.news().await, (2, 0));
    flow.unaffected("a.json", "pkg:npm/a").await;
    assert_eq!(flow.news().await, (0, 1));
    flow.unaffected("b.json", "pkg:npm/b").await;
    assert_eq!(flow.news().await, (0, 1));
    // What replaces one of them gives its finding back, and leaves the other's.
    flow.unaffected("a.json", "pkg:npm/c").await;
    assert_eq!(flow.news().await, (1, 0));
}

#[tokio::test]
async fn a_product_is_an_image_by_the_tag_that_its_document_gives_it() {
    let flow = Flow::open().await;
    let parts = r#""components":[{"purl":"pkg:npm/a@1.0.0"}]"#;
    let head = r#""bomFormat":"CycloneDX","specVersion":"1.5""#;
    // By the described component's version, its purl, a property, and by the uploader.
    for (name, subject, tag) in [
        (
            "version",
            r#""name":"quay.io/acme/shop","version":"1.2""#,
            None,
        ),
        (
            "purl",
            r#""name":"shop","purl":"pkg:oci/shop?repository_url=quay.io/acme&tag=1.3""#,
            None,
        ),
        (
            "property",
            r#""name":"shop.tar","properties":[{"name":"aquasecurity:trivy:RepoTag","value":"quay.io/acme/shop:1.4"}]"#,
            None,
        ),
        ("uploader", r#""name":"other""#, Some("1.5")),
    ] {
        let document = format!(r#"{{{head},"metadata":{{"component":{{{subject}}}}},{parts}}}"#);
        let names = ImageNames {
            repository: tag.map(|_| "quay.io/acme/shop".to_owned()),
            tag: tag.map(str::to_owned),
            ..ImageNames::default()
        };
        flow.sbom(name, &names, &document).await;
    }
    flow.advisories(&[advisory("X-1", "CVE-2024-1", "a", "2.0.0")])
        .await;
    assert_eq!(flow.news().await, (4, 0));
    for tag in ["1.2", "1.3", "1.4", "1.5"] {
        let product = format!("pkg:oci/shop?repository_url=quay.io/acme/shop&tag={tag}");
        flow.unaffected(tag, &product).await;
        assert_eq!(flow.news().await, (0, 1), "{tag}");
    }
}

#[tokio::test]
async fn a_go_product_is_meant_with_and_without_its_v() {
    let flow = Flow::open().await;
    let [with, without] = ["v0.20.0-alpha.2", "0.20.0-alpha.2"]
        .map(|version| format!("pkg:golang/example.org/prom@{version}"));
    flow.image("with", &[&with]).await;
    flow.image("without", &[&without]).await;
    let record = advisory("X-1", "CVE-2024-1", "example.org/prom", "0.20.0");
    flow.advisories(&[record.replace(r#""npm""#, r#""Go""#)])
        .await;
    assert_eq!(flow.news().await, (2, 0));
    flow.unaffected("a.json", &without).await;
    assert_eq!(flow.news().await, (0, 2));
    flow.unaffected("a.json", "pkg:golang/example.org/other")
        .await;
    assert_eq!(flow.news().await, (2, 0));
    flow.unaffected("b.json", &with).await;
    assert_eq!(flow.news().await, (0, 2));
}
