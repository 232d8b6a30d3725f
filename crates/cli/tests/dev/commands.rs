//! Every operator command against a real server, as a person types it. A command that nobody ran is a failure:
//! the list comes from `--help`.

mod operator;
mod story;
mod wait;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::Dev;
use operator::{Operator, text};

/// Verbs that are no operation of the contract; other tests run them.
const BY_HAND: [(&str, &str); 3] = [
    ("audit", "verify"),
    ("events", "tail"),
    ("events", "verify"),
];
/// Nouns without operations, or with those of the other listener, which `dev` has not.
const LOCAL: [&str; 11] = [
    "bench", "demo", "dev", "doctor", "help", "match", "migrate", "openapi", "serve", "tenant",
    "token",
];
/// The names of the subcommands that `--help` lists.
fn named(args: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_jobengine"))
        .args(args)
        .arg("--help")
        .output();
    let help = text(&output.unwrap().stdout);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    lines
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mut operator = Operator {
        dev: Dev::start(&data).await,
        dir: dir.path().to_owned(),
        ran: BTreeSet::new(),
    };
    operator.objects();
    operator.jobs().await;
    operator.waiting().await;
    operator.webhooks();
    operator.impact();
    operator.trail();

    let mut never = Vec::new();
    for noun in named(&[])
        .into_iter()
        .filter(|noun| !LOCAL.contains(&&**noun))
    {
        for verb in named(&[&noun]) {
            let is_by_hand = BY_HAND.contains(&(&*noun, &*verb)) || verb == "help";
            if !is_by_hand && !operator.ran.contains(&(noun.clone(), verb.clone())) {
                never.push(format!("{noun} {verb}"));
            }
        }
    }
    assert!(never.is_empty(), "nobody runs {never:?}");
    let log = std::fs::read_to_string(data.join("dev.log")).unwrap();
    assert!(!log.contains("\"ERROR\""), "{log}");
    operator.dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_are_those_of_the_help() {
    let data = tempfile::tempdir().unwrap();
    let mut operator = Operator {
        dev: Dev::start(data.path()).await,
        dir: data.path().to_owned(),
        ran: BTreeSet::new(),
    };
    let token = operator.dev.token();
    let mut code = |args: &[&str]| operator.run(args, &Value::Null).status.code().unwrap();
    assert_eq!(code(&["job", "list"]), 0);
    assert_eq!(
        code(&["job", "get", "0190f1de-0000-7000-8000-000000000001"]),
        1
    );
    assert_eq!(code(&["job", "submit"]), 2);
    assert_eq!(
        code(&["source", "update", "0190f1de-0000-7000-8000-000000000001"]),
        2
    );
    assert_eq!(code(&["job", "list", "--output", "yaml"]), 2);
    std::fs::write(token, "nobody").unwrap();
    assert_eq!(code(&["job", "list"]), 3);
    operator.dev.stop();
}
