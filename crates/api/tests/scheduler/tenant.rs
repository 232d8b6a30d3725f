//! Nobody sees another tenant's images, runs, findings or segments; nobody passes without the scope.

use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;
use serde_json::json;
use uuid::Uuid;

use crate::facts::{advisory, image, kev, sbom, vex};
use crate::service::{OURS, Service};

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let service = Service::start().await;
    let path = format!("/sboms?image={}", image(1));
    service
        .post(&path, sbom(&["pkg:npm/a@1.0.0"]))
        .await
        .ok(201);
    let record = advisory("GHSA-1", "a", "2.0.0", "HIGH").to_string();
    service
        .post("/advisories?source=osv&mode=delta", record.clone())
        .await
        .ok(200);
    let service = service.acting_as_others();
    for path in [
        format!("/images/{}", image(1)),
        format!("/findings?image={}", image(1)),
    ] {
        assert_eq!(
            service.get(&path).await.problem(),
            (404, "NOT_FOUND", ""),
            "{path}"
        );
    }
    for path in ["/images", "/runs", "/findings?package=npm/a"] {
        assert_eq!(
            service.get(path).await.ok(200)["items"],
            json!([]),
            "{path}"
        );
    }
    assert_eq!(service.pending().await, 0);
    let preview = service
        .post("/impact/preview?source=osv", record.clone())
        .await
        .ok(200);
    assert_eq!(preview["imagesTotal"], 0);
    let stored = service
        .post("/advisories?source=osv&mode=snapshot", record)
        .await
        .ok(200);
    assert_eq!(stored["changed"], 1, "the source of that name is their own");
}

#[tokio::test]
async fn each_operation_asks_for_its_scope() {
    let mut service = Service::start().await;
    let job = "/segments/01890000-0000-7000-8000-000000000000";
    for (allowed, refused) in [
        (
            Scope::SchedulerRead,
            [
                "/sboms",
                "/advisories",
                "/kev",
                "/vex",
                "/impact/preview",
                job,
            ]
            .as_slice(),
        ),
        (
            Scope::SchedulerWrite,
            &[
                "/images",
                "/findings",
                "/runs",
                "/keys",
                "/refusals",
                "/cursors",
                "/impact/preview",
                job,
            ],
        ),
        (Scope::Simulate, &["/sboms", "/images", "/runs", job]),
        (
            Scope::Worker,
            &["/sboms", "/images", "/runs", "/impact/preview"],
        ),
    ] {
        service = service.acting(OURS, &[allowed]);
        for path in refused {
            let posted = matches!(
                *path,
                "/sboms" | "/advisories" | "/kev" | "/vex" | "/impact/preview"
            );
            let answer = if posted {
                service.post(path, "{}").await
            } else {
                service.get(path).await
            };
            assert_eq!(
                answer.problem(),
                (403, "SCOPE_MISSING", ""),
                "{allowed} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_tenant_that_does_not_exist_stores_nothing() {
    let service = Service::start().await;
    let nobody = TenantId(Uuid::from_u128(0xdead));
    let service = service.acting(nobody, &[Scope::SchedulerWrite]);
    for (path, document) in [
        (format!("/sboms?image={}", image(1)), sbom(&[])),
        (
            "/advisories?source=osv&mode=snapshot".to_owned(),
            "[]".to_owned(),
        ),
        ("/kev".to_owned(), kev(&[])),
        (
            "/vex?source=v".to_owned(),
            vex(None, "CVE-2024-1", "pkg:npm/a@1", "fixed"),
        ),
    ] {
        let answer = service.post(&path, document).await;
        assert_eq!(answer.problem(), (401, "UNAUTHENTICATED", ""), "{path}");
    }
}
