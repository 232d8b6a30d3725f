//! Commands out of operations.

use clap::{Arg, ArgAction, Command, value_parser};

use super::contract::{Answer, Body, Listener, Operation, Parameter, Place};
use super::wait::Kind;

/// Flags of our own, which no parameter may take.
pub(super) const SERVER: &str = "server";
pub(super) const TOKEN_FILE: &str = "token-file";
pub(super) const OUTPUT: &str = "output";
pub(super) const LIMIT: &str = "limit";
pub(super) const BODY: &str = "body";
pub(super) const DOCUMENT: &str = "document";
pub(super) const WAIT: &str = "wait";

/// Parameters that the command line deals with itself.
const OWN: [&str; 5] = [
    "X-Stella-Tenant",
    "X-Request-Id",
    "traceparent",
    "limit",
    "continuationToken",
];

/// The one of them that some operations insist on.
const TENANT: &str = "X-Stella-Tenant";
/// What the client says itself when nobody else does.
const KEY: &str = "Idempotency-Key";
/// The version that a change is for.
pub(super) const IF_MATCH: &str = "If-Match";

/// Adds a command for each operation, below its noun.
pub(super) fn augment(mut cli: Command, operations: &[Operation]) -> Command {
    for of_noun in operations.chunk_by(|a, b| a.noun == b.noun) {
        let Some(first) = of_noun.first() else {
            continue;
        };
        let verbs: Vec<Command> = of_noun.iter().map(verb).collect();
        let is_there = cli.find_subcommand(first.noun).is_some();
        cli = if is_there {
            cli.mut_subcommand(first.noun, |noun| {
                noun.args_conflicts_with_subcommands(true)
                    .subcommands(verbs)
            })
        } else {
            cli.subcommand(
                Command::new(first.noun)
                    .about(first.noun_about)
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    .subcommands(verbs),
            )
        };
    }
    cli
}

fn verb(operation: &Operation) -> Command {
    let mut command = Command::new(operation.verb.clone()).about(operation.about.clone());
    if let Some(long) = &operation.long_about {
        command = command.long_about(format!("{}\n\n{long}", operation.about));
    }
    // The tenant comes from the token, except where saying it is the point.
    let wanted =
        |it: &&Parameter| !OWN.contains(&it.name.as_str()) || it.name == TENANT && it.required;
    for parameter in operation.parameters.iter().filter(wanted) {
        // A filter or a field says the same more exactly than the header of that name.
        if parameter.place == Place::Header && is_taken(operation, parameter) {
            continue;
        }
        command = command.arg(argument(parameter));
    }
    if let Some(example) = &operation.example {
        command = command.after_long_help(format!("A body, for --{BODY}:\n{example:#}"));
    }
    command = match &operation.body {
        Body::Nothing => command,
        Body::Json => command.arg(
            Arg::new(BODY)
                .long(BODY)
                .value_name("FILE")
                .help("The whole body as JSON, `-` for standard input; flags are laid over it"),
        ),
        Body::List(_) => command.arg(
            Arg::new(BODY)
                .long(BODY)
                .value_name("FILE")
                .help("The whole body as JSON with any number of them, `-` for standard input; flags say just one"),
        ),
        Body::Document(_) => command.arg(
            Arg::new(DOCUMENT)
                .value_name("FILE")
                .required(true)
                .help("The document; one that ends in .zst or .gz is sent as it is"),
        ),
    };
    if Kind::of(operation).is_some() {
        command = command.arg(Arg::new(WAIT).long(WAIT).action(ArgAction::SetTrue).help(
            "Wait until it has ended and print what came of it; ends with 1 unless it succeeded",
        ));
    }
    if let Answer::Page(_) = operation.answer {
        command = command.arg(
            Arg::new(LIMIT)
                .long(LIMIT)
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..))
                .default_value("100")
                .help("Most items, over as many pages as it takes"),
        );
    }
    common(command, operation.listener)
}

/// Whether something other than a header has the flag of this parameter.
fn is_taken(operation: &Operation, parameter: &Parameter) -> bool {
    let flag = flag(&parameter.name);
    let others = operation.parameters.iter();
    let mut others = others.filter(|other| other.place != Place::Header);
    others.any(|other| self::flag(&other.name) == flag)
}

/// What all of them take.
fn common(command: Command, listener: Listener) -> Command {
    let (env, default, help) = match listener {
        Listener::Contract => (
            "JOBENGINE_SERVER",
            "http://127.0.0.1:8080",
            "Where the API is",
        ),
        Listener::Administration => (
            "JOBENGINE_ADMIN_SERVER",
            "http://127.0.0.1:9090",
            "Where the administration listener is",
        ),
    };
    command
        .arg(
            Arg::new(SERVER)
                .long(SERVER)
                .env(env)
                .value_name("URL")
                .default_value(default)
                .help_heading("Connection")
                .help(help),
        )
        .arg(
            Arg::new(TOKEN_FILE)
                .long(TOKEN_FILE)
                .env("JOBENGINE_TOKEN_FILE")
                .value_name("FILE")
                .value_parser(value_parser!(std::path::PathBuf))
                .help_heading("Connection")
                .help(
                    "File with the bearer token or API key; that of `jobengine dev` unless given",
                ),
        )
        .arg(
            Arg::new(OUTPUT)
                .long(OUTPUT)
                .value_parser(value_parser!(crate::output::Output))
                .default_value("table")
                .help("How to print the answer"),
        )
}

fn argument(parameter: &Parameter) -> Arg {
    let mut help = parameter.help.trim_end_matches('.').replace('\n', " ");
    if parameter.required && parameter.place == Place::Body {
        help.push_str(" (needed)");
    }
    if parameter.name == IF_MATCH {
        help.push_str(" (its number, as `get` prints it)");
    }
    let flag = flag(&parameter.name);
    let arg = Arg::new(parameter.name.clone()).help(help);
    let arg = match parameter.place {
        Place::Path => {
            return arg
                .required(true)
                .value_name(flag.replace('-', "_").to_uppercase());
        }
        Place::Header => arg
            .required(parameter.required && parameter.name != KEY)
            .help_heading("About the request"),
        // A body may come from a file: then the server says what is missing.
        Place::Body if parameter.required => arg.required_unless_present(BODY),
        Place::Body => arg,
        Place::Query => arg.required(parameter.required),
    };
    let arg = arg.long(flag).value_name(parameter.value.clone());
    if parameter.many {
        arg.action(ArgAction::Append)
    } else {
        arg
    }
}

/// `maxAttempts` becomes `max-attempts`, `X-Stella-Operator-Reason` becomes `reason`.
fn flag(name: &str) -> String {
    let name = name.strip_prefix("X-Stella-Operator-").unwrap_or(name);
    let name = name.strip_prefix("X-Stella-").unwrap_or(name);
    let name = name.strip_prefix("X-").unwrap_or(name);
    let mut flag = String::with_capacity(name.len() + 4);
    let mut before = '-';
    for character in name.chars() {
        if character.is_ascii_uppercase() && before.is_ascii_lowercase() {
            flag.push('-');
        }
        flag.push(character.to_ascii_lowercase());
        before = character;
    }
    flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_well_formed() {
        let cli = Command::new("jobengine");
        crate::remote::Remote::new(&cli).augment(cli).debug_assert();
    }

    #[test]
    fn flags_are_spelled_as_flags_are() {
        assert_eq!(flag("maxAttempts"), "max-attempts");
        assert_eq!(flag("X-Stella-Operator-Reason"), "reason");
        assert_eq!(flag("Idempotency-Key"), "idempotency-key");
        assert_eq!(flag("If-Match"), "if-match");
        assert_eq!(flag("q"), "q");
    }
}
