//! One of everything that requests can name, and where an operation wants something special.

use jobengine_domain::caller::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operation::Operation;
use crate::own::Own;
use crate::service::{OURS, Person, SESSION, Service, send};

/// What the leased job's worker has stored.
const ARTIFACT: &str = "notes.txt";

/// Operations about what only background passes make, which do not run here: nothing is found.
const UNMADE: [&str; 6] = [
    "webhook_redeliver",
    "impact_run_get",
    "impact_run_completion",
    "impact_run_deltas",
    "impact_run_inputs",
    "segment_get",
];
/// Operations whose ids belong to nobody.
const SHARED: [&str; 0] = [];

/// Things of one tenant.
#[derive(Debug)]
pub(crate) struct World {
    queued: String,
    leased: String,
    lease_token: String,
    failed: String,
    /// It failed, and is tried again later.
    backing_off: String,
    run: String,
    failed_run: String,
    image: String,
    sbom: String,
    advisory: String,
    vex: String,
    audit: String,
    unmade: String,
    /// What only some operations name: made for them alone.
    own: Own,
    tomorrow: String,
}

impl World {
    /// Things that requests which are refused may share.
    pub(crate) async fn shared(service: &Service) -> Self {
        Self::of(service).await
    }

    /// Whether an operation is about a thing that is made for it alone.
    pub(crate) fn makes_own(operation: &Operation) -> bool {
        Own::needed(operation)
    }

    /// Things that only this operation touches.
    pub(crate) async fn make(service: &Service, operation: &Operation) -> Self {
        let mut world = Self::of(service).await;
        let us = service.acting("world", OURS, Scope::ALL);
        if let Some(own) = Own::make(&us, operation, &world.tomorrow, &world.run).await {
            world.own = own;
        }
        world
    }

    async fn of(service: &Service) -> Self {
        let us = service.acting("world", OURS, Scope::ALL);
        // A type of its own, so that no other world's claims take these jobs.
        let job_type = format!("w.{}", Uuid::from_u128(fresh()).simple());
        let job = json!({"type": job_type, "payload": 1, "maxAttempts": 1, "priority": "high"});
        let leased = us.submit(json!([job])).await.remove(0);
        let grant = claim(&us, &job_type).await;
        let artifact = us
            .request(
                Method::PUT,
                &format!("/worker/artifacts/{leased}/{ARTIFACT}"),
            )
            .header("x-lease-token", grant["leaseToken"].as_str().unwrap())
            .header("content-type", "text/plain")
            .body("kept");
        send(artifact).await.ok(201);

        let failed_run = failed(&us, &format!("{job_type}.fails"), 1).await;
        let backing_off = failed(&us, &format!("{job_type}.again"), 3).await;

        let queued = format!("{job_type}.waits");
        let run = json!({"jobs": [{"key": "a", "type": queued, "payload": 1}]});
        let run = us.post("/runs", &run).await.ok(201);
        let inventory = Inventory::of(service).await;
        let now = service.store.now().await.unwrap();
        let audit = us.get("/audit?limit=1").await.ok(200);
        Self {
            queued: text(&run["jobs"][0]["jobId"]),
            leased,
            lease_token: text(&grant["leaseToken"]),
            failed: text(&failed_run["jobs"][0]["jobId"]),
            backing_off: text(&backing_off["jobs"][0]["jobId"]),
            run: text(&run["runId"]),
            failed_run: text(&failed_run["runId"]),
            image: inventory.image,
            sbom: inventory.sbom,
            advisory: inventory.advisory,
            vex: inventory.vex,
            audit: text(&audit["items"][0]["auditId"]),
            unmade: Uuid::from_u128(fresh()).to_string(),
            own: Own::nothing(),
            tomorrow: now.plus_ms(24 * 3_600 * 1_000).to_string(),
        }
    }

    /// What stands in a parameter that must be there.
    pub(crate) fn value(&self, operation: &Operation, name: &str) -> String {
        let id = operation.id.as_str();
        let value = match (name, id) {
            ("jobId", "job_retry") => &self.backing_off,
            ("jobId", "job_replay") => &self.failed,
            ("jobId", id) if id.starts_with("dead_letter") => &self.failed,
            ("jobId", "job_artifact" | "job_artifacts" | "worker_artifact" | "segment_get") => {
                &self.leased
            }
            ("jobId", _) => &self.queued,
            ("runId", "run_retry") => &self.failed_run,
            ("deliveryId", _) => &self.unmade,
            ("runId", _) if UNMADE.contains(&id) => &self.unmade,
            ("runId", _) => &self.run,
            (name, _) if Own::PARAMETERS.contains(&name) => &self.own.id,
            ("If-Match", _) => &self.own.version,
            ("auditId", _) => &self.audit,
            ("id", "advisory_get") => &self.advisory,
            ("id", "vex_get") => &self.vex,
            ("digest", "sbom_get" | "sbom_document") => &self.sbom,
            ("X-Lease-Token", _) => &self.lease_token,
            ("sessionId", _) => return SESSION.to_string(),
            ("digest", _) => &self.image,
            ("name", "problem_page") => return "lease-lost".to_owned(),
            ("name", "job_artifact" | "worker_artifact") => return ARTIFACT.to_owned(),
            ("source", _) => return "world".to_owned(),
            ("mode", _) => return "delta".to_owned(),
            ("Idempotency-Key", _) => return Uuid::from_u128(fresh()).to_string(),
            ("X-Stella-Tenant", _) => return OURS.to_string(),
            ("X-Stella-Operator-Reason", _) => return "a test".to_owned(),
            ("X-Stella-Operator-Ticket", _) => return "T-1".to_owned(),
            _ => panic!("{id} takes `{name}`: say in tests/contract/world.rs what stands there"),
        };
        value.clone()
    }

    /// What a good request says though it need not.
    pub(crate) fn query(&self, operation: &Operation) -> Vec<String> {
        match operation.id.as_str() {
            "sbom_put" | "finding_list" => vec![format!("image={}", self.image)],
            _ => Vec::new(),
        }
    }

    /// The example of the contract, about things of this world.
    pub(crate) fn body(&self, operation: &Operation, example: &Value) -> Value {
        let id = operation.id.as_str();
        let mut body = example.clone();
        self.adapt(&mut body);
        match id {
            "worker_claim" => body["types"] = json!(["w.nothing"]),
            "worker_artifact" => body = "other".into(),
            "bulk_action_create" => body = self.own.request.clone(),
            "bulk_action_preview" => body["jobs"] = json!({"runId": self.run}),
            "pack_run_create" => body["projectId"] = self.own.id.clone().into(),
            "job_stream" => body = "{\"type\":\"w.streamed\",\"payload\":1}\n".into(),
            _ => {
                let new = Own::request(id, &self.tomorrow);
                return new.unwrap_or(body);
            }
        }
        body
    }

    fn adapt(&self, body: &mut Value) {
        match body {
            Value::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "jobId" => *member = self.leased.clone().into(),
                        "leaseToken" => *member = self.lease_token.clone().into(),
                        "sessionId" => *member = SESSION.to_string().into(),
                        _ => self.adapt(member),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.adapt(item)),
            _ => {}
        }
    }

    /// Whether this is how a good request is answered.
    #[expect(clippy::unused_self, reason = "a world says what is good in it")]
    pub(crate) fn accepts(&self, operation: &Operation, status: u16) -> bool {
        match operation.id.as_str() {
            // These requests ask for no other protocol.
            "event_socket" => status == 400 || status == 426,
            // The lease may have ended meanwhile.
            "segment_get" => status == 404 || status == 409,
            unmade if UNMADE.contains(&unmade) => status == 404,
            _ => (200..400).contains(&status),
        }
    }

    /// Whether everybody may name the things of an operation.
    #[expect(clippy::unused_self, reason = "a world says whose its things are")]
    pub(crate) fn shares(&self, operation: &Operation) -> bool {
        SHARED.contains(&operation.id.as_str())
    }
}

/// An image and what is known of it.
struct Inventory {
    image: String,
    sbom: String,
    advisory: String,
    vex: String,
}

impl Inventory {
    async fn of(service: &Service) -> Self {
        let token = crate::operation::token(service, OURS, Scope::ALL);
        let url = format!("{}/api/v1/scheduler", service.url);
        let put = async |path: &str, document: Value| {
            let request = service.http.post(format!("{url}{path}"));
            send(request.bearer_auth(&token).json(&document)).await.body
        };
        let first = async |path: &str| {
            let request = service.http.get(format!("{url}{path}"));
            send(request.bearer_auth(&token)).await.ok(200)["items"][0].clone()
        };
        for operation in crate::operation::all() {
            let path = match operation.id.as_str() {
                "advisories_put" => "/advisories?source=world&mode=delta",
                "vex_put" => "/vex?source=world",
                _ => continue,
            };
            put(path, operation.body.unwrap().1).await;
        }
        let component = json!({"type": "library", "name": "a", "purl": "pkg:npm/a@1.0.0"});
        let sbom =
            json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component]});
        let image = format!("sha256:{:064x}", fresh());
        let sbom = put(&format!("/sboms?image={image}"), sbom).await;
        Self {
            image,
            sbom: text(&sbom["sbomDigest"]),
            advisory: text(&first("/advisories").await["id"]),
            // As a segment of a path has it.
            vex: text(&first("/vex").await["document"]).replace('/', "%2F"),
        }
    }
}

/// A run whose one job has failed once, of so many times.
async fn failed(us: &Person, job_type: &str, attempts: u32) -> Value {
    let run =
        json!({"jobs": [{"key": "a", "type": job_type, "payload": 1, "maxAttempts": attempts}]});
    let run = us.post("/runs", &run).await.ok(201);
    let grant = claim(us, job_type).await;
    let report = json!({"jobId": grant["jobId"], "leaseToken": grant["leaseToken"],
        "outcome": "failed", "class": "network"});
    us.complete(json!([report])).await.ok(200);
    run
}

async fn claim(us: &Person, job_type: &str) -> Value {
    let claim = json!({"sessionId": SESSION, "worker": "w", "types": [job_type], "max": 1});
    let claimed = us.post("/worker/claim", &claim).await.ok(200);
    claimed["grants"][0].clone()
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A number that no other has.
pub(crate) fn fresh() -> u128 {
    let id: Uuid = jobengine_store::draw(jobengine_domain::time::Timestamp::from_micros(0));
    id.as_u128()
}
