//! Tokens whose tenant or project is misspelled or does not exist: one refusal, whatever is asked.

use jobengine_api::{Authenticator, ServerConfig};
use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;
use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operation::{Call, Operation, guarded};
use crate::service::{OTHERS, OURS, Service};
use crate::signer::Signer;
use crate::spelling::misspelled;
use crate::world::{World, fresh};

/// The seed of the service's own issuer.
const SEED: u8 = 7;

struct Door {
    service: Service,
    signer: Signer,
    strangers: u32,
}

impl Door {
    async fn open() -> Self {
        // Through a proxy, so that each request can have an address of its own: failures slow an address down.
        let proxied = |config: &mut ServerConfig| {
            config.proxies = vec!["127.0.0.0/8".parse().unwrap()];
        };
        Self {
            service: Service::start_with(proxied).await,
            signer: Signer::ed25519(SEED),
            strangers: 0,
        }
    }

    /// A token that is good but for what it says of tenant and project.
    fn token(&self, tenant: &str, project: Option<&str>) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let mut claims = json!({
            "iss": "https://issuer", "aud": "jobengine", "exp": now + 600, "iat": now, "sub": "world",
            "client_id": "c", "jti": fresh().to_string(), "tenant": tenant, "scope": scopes.join(" "),
        });
        if let Some(project) = project {
            claims["project"] = project.into();
        }
        let kid = Authenticator::kid(&self.service.issuer.public());
        let header = json!({"typ": "at+jwt", "alg": self.signer.alg(), "kid": kid});
        self.signer.sign(&header, &claims)
    }

    async fn ask(&mut self, operation: &Operation, call: &Call, token: &str) -> Response {
        self.strangers += 1;
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + self.strangers);
        let mut call = call.clone();
        let headers = [
            ("x-forwarded-for", address.to_string()),
            ("authorization", format!("Bearer {token}")),
        ];
        for (name, value) in headers {
            call.headers.insert(name.to_owned(), value);
        }
        operation.send(&self.service, None, &call).await
    }
}

async fn project(service: &Service, tenant: TenantId) -> String {
    let person = service.acting("world", tenant, Scope::ALL);
    let name = format!("p-{}", fresh());
    let made = person.post("/projects", &json!({"name": name})).await;
    made.ok(201)["projectId"].as_str().unwrap().to_owned()
}

/// What an answer says, but for the names of its request.
async fn told(response: Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or(String::new(), |value| value.to_str().unwrap().to_owned());
    let mut body: Value = response.json().await.unwrap_or_default();
    for name in ["traceId", "correlationId", "requestId"] {
        body.as_object_mut().map(|body| body.remove(name));
    }
    (status, challenge, body)
}

#[tokio::test]
async fn no_operation_believes_a_tenant_or_project_that_is_misspelled_or_unknown() {
    let mut door = Door::open().await;
    let world = World::shared(&door.service).await;
    let (ours, unknown) = (OURS.to_string(), Uuid::from_u128(fresh()).to_string());
    let own = project(&door.service, OURS).await;
    let foreign = project(&door.service, OTHERS).await;
    let mut bad = vec![
        ("an unknown tenant".to_owned(), door.token(&unknown, None)),
        (
            "an unknown project".to_owned(),
            door.token(&ours, Some(&unknown)),
        ),
        (
            "another's project".to_owned(),
            door.token(&ours, Some(&foreign)),
        ),
    ];
    for (how, tenant) in misspelled(&ours) {
        bad.push((format!("the tenant {how}"), door.token(&tenant, None)));
    }
    for (how, project) in misspelled(&own) {
        bad.push((
            format!("the project {how}"),
            door.token(&ours, Some(&project)),
        ));
    }
    let good = [door.token(&ours, None), door.token(&ours, Some(&own))];
    let nobody = "nobody".to_owned();
    let mut let_in = Vec::new();
    for operation in guarded() {
        let call = operation.call(&world);
        let expected = told(door.ask(&operation, &call, &nobody).await).await;
        assert_eq!(expected.0, 401, "{}", operation.id);
        for (why, token) in &bad {
            let response = door.ask(&operation, &call, token).await;
            if response.status() != 401 {
                let_in.push(format!(
                    "{} with {why}: {}",
                    operation.id,
                    response.status()
                ));
                continue;
            }
            assert_eq!(
                told(response).await,
                expected,
                "{} with {why}",
                operation.id
            );
        }
    }
    assert!(
        let_in.is_empty(),
        "{} let in:\n{}",
        let_in.len(),
        let_in.join("\n")
    );
    let list = guarded()
        .find(|operation| operation.id == "job_list")
        .unwrap();
    for token in &good {
        let response = door.ask(&list, &list.call(&world), token).await;
        assert_eq!(response.status(), 200);
    }
}
