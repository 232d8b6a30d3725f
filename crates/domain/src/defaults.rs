//! Shared defaults and bounds: one file, read by the service, the SDK's documentation and the tests.
//!
//! Source: the product's table of shared defaults, README "Defaults and bounds".

/// Time a worker has between heartbeats before its jobs are given to others.
pub const LEASE_MS: u32 = 30_000;
/// Shortest lease an installation may choose.
pub const LEASE_MIN_MS: u32 = 1_000;
/// Longest lease an installation may choose.
pub const LEASE_MAX_MS: u32 = 3_600_000;
/// A worker's heartbeat interval is its lease divided by this.
pub const HEARTBEATS_PER_LEASE: u32 = 3;

/// Attempts of a job that names no number.
pub const ATTEMPTS: u32 = 5;
/// Most attempts a job may ask for.
pub const ATTEMPTS_MAX: u32 = 100;
/// Attempts that may end with the worker's disappearance before the job is held to be the cause.
pub const CRASH_ATTEMPTS: u32 = 3;

/// Delay before the second attempt; it doubles with each further one.
pub const BACKOFF_BASE_MS: u64 = 2_000;
/// The delay never grows beyond this.
pub const BACKOFF_CAP_MS: u64 = 15 * 60 * 1_000;

/// Jobs per claim: one short lock.
pub const CLAIM_MAX: u32 = 100;
/// Reports per complete.
pub const COMPLETE_MAX: usize = 500;
/// Jobs per submit.
pub const SUBMIT_MAX: usize = 10_000;
/// A claim's long poll ends after this, answered or not.
pub const CLAIM_WAIT_MAX_MS: u64 = 30_000;

/// A job's payload, as JSON text.
pub const PAYLOAD_MAX_BYTES: usize = 128 * 1024;
/// A report's result, as JSON text.
pub const RESULT_MAX_BYTES: usize = 64 * 1024;
/// One line of text that a worker gives as the reason of a failure.
pub const DETAIL_MAX_BYTES: usize = 8 * 1024;

/// One line of a job's log; longer ones are cut.
pub const LOG_LINE_MAX_BYTES: usize = 8 * 1024;
/// Lines of one report of logs.
pub const LOG_LINES_MAX: usize = 1_000;

/// Tags of one job.
pub const TAGS_MAX: usize = 16;
/// One tag, in characters.
pub const TAG_MAX: usize = 64;

/// Jobs in one DAG.
pub const DAG_NODES_MAX: usize = 10_000;
/// Jobs on its longest path.
pub const DAG_DEPTH_MAX: usize = 256;
/// Children of one job, and parents of one job.
pub const DAG_FAN_MAX: usize = 10_000;

/// Images per segment where nobody says otherwise.
pub const SEGMENT_IMAGES: u32 = 256;
/// Most images per segment.
pub const SEGMENT_IMAGES_MAX: u32 = 10_000;

/// Delay before what a run left out is evaluated again; it doubles with each run that leaves it out.
pub const DEBT_BACKOFF_BASE_MS: u64 = 30_000;
/// That delay never grows beyond this.
pub const DEBT_BACKOFF_CAP_MS: u64 = 60 * 60 * 1_000;
/// Packages that the debt of one image names; with more of them it owes all.
pub const DEBT_PACKAGES_MAX: usize = 256;
/// Images whose debts one run pays; what is left is planned next.
pub const DEBT_PLAN_MAX: u32 = 20_000;

/// Records that could not be read which are listed of one source and kind; beyond it they are counted.
pub const REFUSALS_MAX: usize = 1_000;
/// A refused record without an id is listed for so long after it came last, unless a snapshot without it comes.
pub const REFUSALS_NAMELESS_KEPT_DAYS: u32 = 30;

/// Items per page of a list.
pub const PAGE: u32 = 100;
/// Most items per page of a list.
pub const PAGE_MAX: u32 = 500;

/// Events are kept for so long at least: a reader that was away for less goes on where it was.
pub const EVENTS_KEPT_HOURS: u32 = 24;
/// Lines that workers write down are kept so long.
pub const LOGS_KEPT_DAYS: u32 = 14;
/// Jobs are kept for so long after they were submitted, unless `serve --history-days` says otherwise.
pub const HISTORY_KEPT_DAYS: u32 = 90;
/// Streams of one tenant, on one node.
pub const STREAMS_PER_TENANT: u32 = 50;
/// Streams of one node.
pub const STREAMS_PER_NODE: u32 = 1_000;
/// What may wait for one reader of a stream; one that is further behind is cut off.
pub const STREAM_BUFFER_BYTES: usize = 256 * 1024;
/// A quiet stream says at this interval that it is alive.
pub const STREAM_HEARTBEAT_MS: u64 = 15_000;

/// A database clock that shows a difference of this much or more to the time that has passed was set.
pub const CLOCK_STEP_MS: u64 = 1_000;
