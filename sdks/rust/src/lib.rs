#![doc = include_str!("../README.md")]

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

pub use calls::{EventStream, JobStream, Request, Streamed};
pub use client::{Client, ClientBuilder};
pub use document::{Document, Encoding};
pub use error::{Error, FieldProblem, Problem};
/// The method of a [`Request`].
pub use reqwest::Method;
pub use retry::RetryPolicy;
pub use token::TokenSource;
pub use wire::lease::Grant;
pub use worker::{Context, Failure, Handler, Worker};
