//! Operator commands over HTTP, made from the contract: an operation is on the command line by being declared.
//!
//! `job_cancel` becomes `jobengine job cancel JOB_ID`, its parameters and the fields of its body become flags, and
//! their help is the contract's own text.

mod call;
mod columns;
mod command;
mod contract;
mod lines;
mod schema;
mod show;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use contract::Operation;

/// The operations that stand on the command line, by noun and verb.
pub(crate) struct Remote(Vec<Operation>);

impl Remote {
    /// Reads the contract that is built in.
    pub(crate) fn new() -> Self {
        let document = serde_json::to_value(jobengine_api::document())
            .expect("an OpenAPI document is plain JSON");
        Self(contract::operations(&document))
    }

    /// Adds the operator commands beside those that are there.
    pub(crate) fn augment(&self, cli: Command) -> Command {
        command::augment(cli, &self.0)
    }

    /// The command that was asked for, if it is one of these.
    pub(crate) fn asked<'a>(&'a self, matches: &'a ArgMatches) -> Option<Asked<'a>> {
        let (noun, of_noun) = matches.subcommand()?;
        let (verb, args) = of_noun.subcommand()?;
        let operation = self
            .0
            .iter()
            .find(|operation| operation.noun == noun && operation.verb == verb)?;
        Some(Asked { operation, args })
    }
}

/// An operation with what was said about it.
pub(crate) struct Asked<'a> {
    operation: &'a Operation,
    args: &'a ArgMatches,
}

impl Asked<'_> {
    /// Asks the server, and prints what it answers.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        call::run(self.operation, self.args).await
    }
}
