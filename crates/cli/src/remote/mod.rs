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
mod wait;

use std::process::ExitCode;

use clap::{ArgMatches, Command};
use serde::Serialize;

use contract::{Listener, Operation};

/// The operations that stand on the command line, by noun and verb.
pub(crate) struct Remote(Vec<Operation>);

impl Remote {
    /// Reads the contracts that are built in: of everybody, and of the administration listener. A verb that
    /// `cli` has knows better than one that is made.
    pub(crate) fn new(cli: &Command) -> Self {
        let mut all = read(jobengine_api::document(), Listener::Contract);
        let inside = jobengine_api::administration_document();
        all.extend(read(inside, Listener::Administration));
        let by_hand = |operation: &Operation| {
            let noun = cli.find_subcommand(operation.noun);
            noun.is_some_and(|noun| noun.find_subcommand(&operation.verb).is_some())
        };
        all.retain(|operation| !by_hand(operation));
        Self(all)
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

fn read(document: impl Serialize, listener: Listener) -> Vec<Operation> {
    let document = serde_json::to_value(document);
    let document = document.expect("an OpenAPI document is plain JSON");
    contract::operations(&document, listener)
}
