//! `jobengine events`: follow what happens, check what was signed.

mod tail;
mod verify;

pub(crate) use tail::{TailArgs, run as tail};
pub(crate) use verify::{VerifyArgs, run as check, verify};

/// Follow events, and check signed ones
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EventsCommand {
    Tail(TailArgs),
    Verify(VerifyArgs),
}
