//! Who may not: no token, the wrong scope, another tenant.

use jobengine_domain::caller::Scope;
use reqwest::Method;
use serde_json::Value;

use crate::operation::{Operation, all, guarded};
use crate::service::{OTHERS, OURS, Service};
use crate::world::World;

#[tokio::test]
async fn every_operation_can_be_asked_well() {
    let service = Service::start().await;
    let mut refused = Vec::new();
    let shared = World::shared(&service).await;
    for operation in all() {
        // Reading uses nothing up.
        let made = match operation.method {
            Method::GET if !World::makes_own(&operation) => None,
            _ => Some(World::make(&service, &operation).await),
        };
        let world = made.as_ref().unwrap_or(&shared);
        let call = operation.call(world);
        let response = operation
            .send(&service, Some((OURS, Scope::ALL)), &call)
            .await;
        let status = response.status().as_u16();
        for header in ["link", "location"] {
            let address = response.headers().get(header);
            let address = address.map_or("", |value| value.to_str().unwrap());
            assert!(!address.contains(['{', '}']), "{}: {address}", operation.id);
        }
        if !world.accepts(&operation, status) {
            // Only now: a stream has no end.
            let text = response.text().await.unwrap();
            refused.push(format!("{} {}: {status} {text}", operation.id, call.path));
        }
    }
    assert!(
        refused.is_empty(),
        "say in tests/contract/world.rs what a good request is:
{}",
        refused.join(
            "
"
        )
    );
}

#[tokio::test]
async fn no_operation_answers_without_a_token_or_its_scope() {
    let service = Service::start().await;
    let world = World::shared(&service).await;
    for operation in guarded() {
        let call = operation.call(&world);
        let response = operation.send(&service, None, &call).await;
        assert_eq!(response.status(), 401, "{}", operation.id);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(!challenge.is_empty(), "{}", operation.id);
        let lesser: Vec<Scope> = Scope::ALL
            .iter()
            .copied()
            .filter(|scope| Some(scope.as_str()) != operation.scope.as_deref())
            .collect();
        let response = operation.send(&service, Some((OURS, &lesser)), &call).await;
        assert_eq!(response.status(), 403, "{}", operation.id);
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], "SCOPE_MISSING", "{}", operation.id);
    }
}

#[tokio::test]
async fn what_another_tenant_names_of_ours_does_not_exist() {
    let service = Service::start().await;
    let shared = World::shared(&service).await;
    for operation in guarded().filter(Operation::names_things) {
        let made = match operation.method {
            Method::GET if !World::makes_own(&operation) => None,
            _ => Some(World::make(&service, &operation).await),
        };
        let world = made.as_ref().unwrap_or(&shared);
        let call = operation.call(world);
        let response = operation
            .send(&service, Some((OTHERS, Scope::ALL)), &call)
            .await;
        let status = response.status().as_u16();
        let problem: Value = response.json().await.unwrap();
        let code = problem["code"].as_str().unwrap_or_default();
        // A lease that is not yours is as lost as one that never was.
        let leased = operation.takes("X-Lease-Token").is_some();
        let hidden = (status, code) == (404, "NOT_FOUND")
            || (leased && (status, code) == (409, "LEASE_LOST"));
        assert!(
            hidden || world.shares(&operation),
            "{}: {problem:#}",
            operation.id
        );
    }
}
