//! `POST /jobs/stream`

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use jobengine_domain::digest::Digest;
use jobengine_store::{ActKey, NewJob};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::lines::{Lines, Slice};
use super::submit::{answer, job_ids};
use super::{JobSpec, Origin};
use crate::act::Act;
use crate::check::Checks;
use crate::flush::Submit;
use crate::json;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::AppState;

/// JSON texts, one a line.
const NDJSON: &str = "application/x-ndjson";

/// What became of one line
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineAnswer {
    /// The line, counted from 1.
    line: u64,
    /// Its job, when it is in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<Uuid>,
    /// Why it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

/// Submit jobs as a stream
///
/// One job a line, as in `jobs` of `POST /jobs`; empty lines are passed over. The lines are written in slices
/// of 1,000 lines or 4 MiB, and answered slice by slice in their order: a line that cannot be taken is answered
/// with its problem and holds up nobody else. A line that is answered with a job is durable. When a slice
/// cannot be written, its lines are answered with the problem and the stream ends.
///
/// Read the answers while you send: the service reads on only as its answers are taken. When the connection
/// breaks off, or the last line says that the service stops (OVERLOADED), send the whole stream again under the
/// same `Idempotency-Key`: slices that were written are answered as they were, and nothing is submitted twice.
#[utoipa::path(
    post, path = "/jobs/stream", operation_id = "job_stream", tag = "jobs",
    extensions(("x-scope" = json!("orch:submit")), ("x-effect" = json!("audited"))),
    request_body(content = String, content_type = "application/x-ndjson", description = "A job a line, each up to 256 KiB; as many as you like"),
    responses(
        (status = 200, description = "An answer a line, as long as the request goes on", body = LineAnswer, content_type = "application/x-ndjson"),
        (status = 415, description = "Not application/x-ndjson, or encoded (MEDIA_TYPE_UNSUPPORTED)"),
    )
)]
pub(super) async fn handler(
    State(state): State<AppState>,
    act: Act,
    request: Request,
) -> Result<Response, Problem> {
    check(request.headers())?;
    let submission = Submission {
        origin: Origin::of(&act, None),
        lines: Lines::new(request.into_body()),
        state,
        act,
        ended: false,
    };
    let answers = stream::unfold(submission, async |mut submission| {
        let answers = submission.next().await?;
        Some((Ok::<_, std::convert::Infallible>(answers), submission))
    });
    let mut response = Response::new(Body::from_stream(Box::pin(answers)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(response)
}

fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    let is_ndjson = media_type.is_some_and(|name| name.eq_ignore_ascii_case(NDJSON));
    if !is_ndjson || headers.contains_key(CONTENT_ENCODING) {
        let detail = format!("send {NDJSON} without a content encoding");
        return Err(Problem::new(Code::MediaTypeUnsupported, detail));
    }
    Ok(())
}

/// A stream on its way into the ledger.
struct Submission {
    state: AppState,
    act: Act,
    origin: Origin,
    lines: Lines,
    ended: bool,
}

impl Submission {
    /// Writes the next slice; its answers, or `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let slice = tokio::select! {
            biased;
            () = self.state.shutdown().cancelled() => Err(Problem::new(
                Code::Overloaded,
                "the service stops; send the whole stream again under the same key",
            )),
            slice = self.lines.slice() => slice,
        };
        let answers = match slice {
            Ok(None) => return None,
            Ok(Some(slice)) => self.write(slice).await,
            Err(problem) => {
                self.ended = true;
                vec![self.refused(self.lines.line() + 1, &problem)]
            }
        };
        let mut text = Vec::new();
        for answer in answers {
            serde_json::to_writer(&mut text, &answer).expect("an answer is plain JSON");
            text.push(b'\n');
        }
        Some(text.into())
    }

    async fn write(&mut self, slice: Slice) -> Vec<LineAnswer> {
        let key = self.key(&slice);
        let (mut answers, mut places, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        for (line, text) in slice.lines {
            match self.job(&text) {
                Ok(job) => {
                    places.push(answers.len());
                    jobs.push(job);
                    answers.push(LineAnswer {
                        line,
                        job_id: None,
                        problem: None,
                    });
                }
                Err(problem) => answers.push(self.refused(line, &problem)),
            }
        }
        if jobs.is_empty() {
            return answers;
        }
        match self.submit(key, jobs).await {
            Ok(ids) => {
                for (place, id) in places.into_iter().zip(ids) {
                    answers[place].job_id = Some(id);
                }
            }
            Err(problem) => {
                self.ended = true;
                for place in places {
                    answers[place] = self.refused(answers[place].line, &problem);
                }
            }
        }
        answers
    }

    async fn submit(
        &mut self,
        key: Option<ActKey>,
        jobs: Vec<NewJob>,
    ) -> Result<Vec<Uuid>, Problem> {
        let mut act = self.act.record();
        act.key = key;
        let submit = Submit { act, jobs, answer };
        let tenant = self.act.caller().tenant;
        let done = self.state.submits().ask(tenant, submit).await?;
        Ok(job_ids(&done))
    }

    /// The slice's own name, made of the stream's: a repeat of the stream has the same ones.
    fn key(&self, slice: &Slice) -> Option<ActKey> {
        let key = self.act.record().key?;
        let mut name = key.hash.as_bytes().to_vec();
        name.extend_from_slice(&slice.number.to_be_bytes());
        let mut asked = Vec::new();
        for (_, line) in &slice.lines {
            asked.extend_from_slice(line);
            asked.push(b'\n');
        }
        Some(ActKey {
            hash: Digest::of(&name),
            request: Digest::of(&asked),
        })
    }

    fn job(&self, text: &[u8]) -> Result<NewJob, Problem> {
        let spec: JobSpec = json::parse(text)?;
        let mut checks = Checks::default();
        spec.check("job", &mut checks);
        spec.check_project("job", self.act.caller().project, &mut checks);
        checks.end()?;
        Ok(spec.into_job(String::new(), Vec::new(), &self.origin))
    }

    fn refused(&self, line: u64, problem: &Problem) -> LineAnswer {
        LineAnswer {
            line,
            job_id: None,
            problem: Some(problem.body(self.act.ids())),
        }
    }
}
