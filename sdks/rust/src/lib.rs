//! Client and worker for `JobEngine`. Knows the HTTP contract and nothing else of the system.
//!
//! [`Client`] has a method for each operation that workers and submitters need, and [`Client::request`] for
//! all others. [`Worker`] claims jobs, runs handlers, keeps the
//! leases alive from a thread that handlers cannot block, and reports.
//!
//! ```no_run
//! use jobengine_sdk::{Client, Context, Failure, Grant, TokenSource, Worker};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn example() -> Result<(), jobengine_sdk::Error> {
//! let client = Client::builder("http://127.0.0.1:8080")
//!     .token(TokenSource::file("/run/secrets/jobengine-token"))
//!     .build()?;
//! let worker = Worker::builder(client)
//!     .name("resizer-1")
//!     .concurrency(4)
//!     .handler("image.resize", async |context: Context, grant: Grant| {
//!         context.progress(500, "half of it");
//!         Ok::<_, Failure>(serde_json::json!({"attempt": grant.attempt}))
//!     })
//!     .build()?;
//! worker.run(CancellationToken::new()).await?;
//! # Ok(())
//! # }
//! ```

mod call;
mod calls;
mod client;
mod document;
mod draw;
mod error;
mod retry;
mod token;
pub mod wire;
pub mod worker;

pub use calls::{EventStream, Request, Streamed};
pub use client::{Client, ClientBuilder};
pub use document::{Document, Encoding};
pub use error::{Error, FieldProblem, Problem};
/// The method of a [`Request`].
pub use reqwest::Method;
pub use retry::RetryPolicy;
pub use token::TokenSource;
pub use wire::lease::Grant;
pub use worker::{Context, Failure, Handler, Worker};
