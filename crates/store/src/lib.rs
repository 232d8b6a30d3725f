//! The ledger in PostgreSQL: the only crate that speaks SQL.
//!
//! It loads, guards and saves; what is decided, `jobengine_domain` and `jobengine_impact` decide.
//! It knows nothing of HTTP. Every transaction is opened for a caller and sees one tenant.

mod act;
mod administration;
mod advisory;
mod api_key;
mod artifact;
mod audit;
mod bulk;
mod bulk_slice;
mod caller;
mod cancel;
mod change;
mod claim_answer;
mod clock;
mod complete;
mod completion;
mod connect;
mod dag;
mod dead_letter;
mod debt;
mod delivery;
mod document;
mod dpop_proof;
mod draw;
pub mod embedded;
mod error;
mod event;
mod finding;
mod first_signal;
mod gauge;
mod history;
mod hold;
mod idempotency;
mod image;
mod impact_index;
mod impact_run;
mod job;
mod kev;
mod leader;
mod lease;
mod log;
mod migrate;
mod observe;
mod outbox;
mod partition;
mod prioritize;
mod progress;
mod project;
mod reach;
mod ready;
mod refusal;
mod replay;
mod retry;
mod revocation;
mod run;
mod run_plan;
mod sbom;
mod search;
pub mod secret;

mod segment;
mod session;
mod settle;
mod share;
mod source;
mod standing;
mod summary;
mod tenancy;
mod tenant;
pub mod testing;
mod ticket;
mod tls;
mod trace;
mod ts;
mod vex;
mod wake;
mod webhook;

pub use act::{Act, ActKey, Answered, Effect};
pub use administration::{InsertProbe, database_create, settle, wal_bytes};
pub use advisory::{AdvisoriesStored, AdvisoryFilter, AdvisoryRecord, Intake};
pub use api_key::{ApiKeyMac, ApiKeyRecord, NewApiKey};
pub use artifact::{ArtifactBody, ArtifactRecord};
pub use audit::{AuditFilter, AuditRecord, ChainEnd, CheckpointRecord, SEALER, SealError};
pub use bulk::{BULK_SLICE, BulkRecord, NewBulk};
pub use bulk_slice::BulkSlice;
pub use caller::Tx;
pub use change::{Change, ChangeKind, ChangeNews};
pub use complete::{JobReport, Reported};
pub use completion::{Completion, RunAttempt, RunImage};
pub use connect::{LockWait, Store};
pub use dead_letter::{DeadLetter, DeadLetterCluster, DeadLetterFilter};
pub use debt::{DebtRecord, EVALUATE, Owing, PayingRun, segment_jobs, segment_name};
pub use delivery::{DeliveryRecord, DeliveryState, NewDelivery, Settled, TakenDelivery};
pub use draw::draw;
pub use error::StoreError;
pub use event::{EVENTS_SCAN_MAX, EventBounds, EventFilter, EventPage, EventRecord};
pub use finding::{FindingFilter, FindingPlace};
pub use first_signal::FirstSignal;
pub use gauge::{Gauges, ImpactLoad, JobsGauge};
pub use history::HistoryTrimmed;
pub use hold::{Held, SweepPlace};
pub use image::{ImageFilter, ImageRecord};
pub use impact_index::{ImpactIndexes, TenantIndex};
pub use impact_run::{ImpactRunRecord, PlanFacts, RunInput};
pub use job::{AttemptRecord, JobRecord, NewJob};
pub use lease::{Grant, LeaseToken, TypeClaim, TypeWanted};
pub use log::{LogLine, NewLogLine};
pub use migrate::migrate;
pub use outbox::OutboxMessage;
pub use progress::{HeldLease, Progress, UnderWay};
pub use project::ProjectRecord;
pub use ready::ReadyJobs;
pub use refusal::{NewRefusal, RefusalEffect, RefusalFilter, RefusalKind, RefusalRecord};
pub use replay::Replayed;
pub use retry::Wish;
pub use revocation::{RevocationRecord, Revoked};
pub use run::{NewRun, RunFilter, RunRecord};
pub use run_plan::PlanNode;
pub use sbom::{ImageNames, SbomRecord, SbomStored};
pub use search::{JobFilter, JobPlace, JobsFound};
pub use session::{
    Beat, Directive, Heartbeat, SessionDetail, SessionLease, SessionRecord, WorkerSession,
};
pub use source::{SourceFacts, SourceFilter, SourceRecord};
pub use standing::JobStanding;
pub use summary::JOBS_COUNTED_MAX;
pub use tenancy::{TenantChange, TenantChanged, TenantRecord};
pub use vex::{VexEntry, VexFilter, VexPut, VexRecord, VexVersion};
pub use wake::{WAKE_MAX_BYTES, WakeLine};
pub use webhook::{
    NewWebhook, PauseReason, ResumeFrom, WebhookCursor, WebhookRecord, WebhookSpec,
    draw_webhook_secret,
};

pub use jobengine_domain::stream::Place;
/// How PostgreSQL is reached: a connection string, parsed.
pub use tokio_postgres::Config as DatabaseConfig;
