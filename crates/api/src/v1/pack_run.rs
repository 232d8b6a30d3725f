//! `POST /pack-runs`: a task pack is run as one job of a project.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jobengine_domain::defaults::{ATTEMPTS, CRASH_ATTEMPTS, PAYLOAD_MAX_BYTES};
use jobengine_domain::digest::Digest;
use jobengine_domain::id::ProjectId;
use jobengine_domain::priority::Priority;
use jobengine_store::{NewJob, NewRun, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::act::{Act, Done};
use crate::check::Checks;
use crate::json::{JSON_MAX_BYTES, JsonBody};
use crate::problem::{Code, Problem};
use crate::route::Routes;
use crate::state::AppState;

/// The type of the job that runs a pack: workers claim it.
const PACK_RUN: &str = "pack-run";
/// The tenant header, which scheduling a pack must repeat.
const TENANT: &str = "x-stella-tenant";
/// Longest name of a pack.
const NAME_MAX: usize = 200;
/// Longest version of a pack.
const VERSION_MAX: usize = 100;

pub(super) fn routes() -> Routes {
    Routes::new().add(routes!(handler))
}

/// A pack to be run
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreatePackRun {
    /// The project it runs for.
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Which pack.
    pack: Pack,
    /// What it is given: any JSON; with the pack's name at most 128 KiB.
    #[schema(value_type = serde_json::Value)]
    inputs: Box<RawValue>,
    /// Its band; `normal` unless said otherwise.
    #[schema(value_type = Option<String>, pattern = "^(low|normal|high|emergency)$")]
    priority: Option<Priority>,
}

/// A pack, by name and version
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Pack {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "rotate-keys")]
    name: String,
    /// Its version.
    #[schema(min_length = 1, max_length = 100, example = "1.4.0")]
    version: String,
    /// The digest of its content: the worker runs no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    digest: Option<Digest>,
}

/// The pack run is in the ledger
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the contract"
)]
struct PackRunCreated {
    /// Its run.
    run_id: Uuid,
    /// The job that runs it.
    job_id: Uuid,
    /// The project it runs for.
    project_id: Uuid,
}

/// Run a pack
///
/// Creates a run of one job of type `pack-run` in the project. The project and the tenant header must both be
/// there: a pack acts on what belongs to somebody, so nothing is guessed.
#[utoipa::path(
    post, path = "/pack-runs", operation_id = "pack_run_create", tag = "runs",
    extensions(("x-scope" = json!("orch:submit")), ("x-effect" = json!("audited"))),
    params(("X-Stella-Tenant" = Uuid, Header, description = "The token's tenant, said once more")),
    request_body = CreatePackRun,
    responses(
        (status = 201, description = "The run is in the ledger", body = PackRunCreated),
        (status = 400, description = "The body is not JSON as we take it (JSON_MALFORMED)"),
        (status = 404, description = "No such project of this tenant (NOT_FOUND)"),
        (status = 413, description = "More than 256 KiB (BODY_TOO_LARGE)"),
        (status = 415, description = "Not application/json (MEDIA_TYPE_UNSUPPORTED)"),
        (status = 422, description = "A field is not valid, or the project or the tenant header is missing (REQUEST_INVALID, PACK_RUN_UNSCOPED)"),
    )
)]
async fn handler(
    State(state): State<AppState>,
    act: Act,
    headers: HeaderMap,
    JsonBody(request): JsonBody<CreatePackRun, JSON_MAX_BYTES>,
) -> Result<Response, Problem> {
    let unscoped = |field: &str, detail: &str| {
        Problem::new(Code::PackRunUnscoped, detail).with_error(field, "MISSING", detail)
    };
    // That the header names the token's tenant, the guard has made sure of.
    if !headers.contains_key(TENANT) {
        return Err(unscoped(
            "X-Stella-Tenant",
            "say the tenant in X-Stella-Tenant",
        ));
    }
    let Some(project) = request.project_id else {
        return Err(unscoped("projectId", "say the project in projectId"));
    };
    let mut checks = Checks::default();
    checks.text(|| "pack.name".to_owned(), &request.pack.name, NAME_MAX);
    checks.text(
        || "pack.version".to_owned(),
        &request.pack.version,
        VERSION_MAX,
    );
    let payload = payload(&request);
    let fits = payload.len() <= PAYLOAD_MAX_BYTES;
    let detail = format!("at most {PAYLOAD_MAX_BYTES} bytes are taken, with the pack's name");
    checks.hold(fits, || "inputs".to_owned(), "TOO_LARGE", detail);
    checks.end()?;
    let correlation_id = act.ids().correlation_id.clone();
    let run = NewRun {
        trigger: "manual".to_owned(),
        project: Some(project),
        source: None,
        correlation_id: correlation_id.clone(),
        traceparent: Some(act.ids().traceparent()),
    };
    let job = NewJob {
        key: "pack".to_owned(),
        job_type: PACK_RUN.to_owned(),
        priority: request.priority.unwrap_or_default(),
        payload,
        max_attempts: ATTEMPTS,
        max_crashes: CRASH_ATTEMPTS,
        not_before: None,
        deadline: None,
        correlation_id,
        project: Some(project),
        source: None,
        tags: Vec::new(),
        traceparent: Some(act.ids().traceparent()),
        replay_of: None,
        parents: Vec::new(),
    };
    act.perform(&state, async |tx| {
        if tx.project_find(project).await?.is_none() {
            return Err(Problem::not_found("project").into());
        }
        let (run_id, jobs) = tx.run_create(&run, std::slice::from_ref(&job)).await?;
        let job = jobs.first().ok_or(StoreError::Stale("the job"))?;
        let created = PackRunCreated {
            run_id: run_id.0,
            job_id: job.0,
            project_id: project.0,
        };
        Ok(Done::created(created).of("run", run_id))
    })
    .await
}

/// What the worker gets: pack and inputs, the inputs byte for byte.
fn payload(request: &CreatePackRun) -> String {
    #[derive(Serialize)]
    struct Payload<'r> {
        pack: &'r Pack,
        inputs: &'r RawValue,
    }
    let payload = Payload {
        pack: &request.pack,
        inputs: &request.inputs,
    };
    serde_json::to_string(&payload).expect("a pack and JSON are plain JSON")
}
