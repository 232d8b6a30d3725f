//! Asking the server.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::ArgMatches;
use jobengine_sdk::{Client, Document, Method, Request, TokenSource};
use serde_json::{Map, Value};

use super::command::{BODY, DOCUMENT, IF_MATCH, LIMIT, OUTPUT, SERVER, TOKEN_FILE, WAIT};
use super::contract::{Answer, Body, Operation, Parameter, Place};
use super::lines::Lines;
use super::show;
use super::wait::{self, Kind};
use crate::data_dir::DataDir;
use crate::output::{self, Output};

/// Items per page of the server.
const PAGE_MAX: usize = 500;

pub(super) async fn run(operation: &Operation, args: &ArgMatches) -> anyhow::Result<ExitCode> {
    let client = client(args)?;
    let request = request(operation, args)?;
    let output = args.get_one(OUTPUT).copied().unwrap_or_default();
    match &operation.answer {
        Answer::Page(columns) => {
            let limit = args.get_one::<u32>(LIMIT).copied().unwrap_or(100);
            let (items, more) = pages(&client, &request, limit as usize).await?;
            match output {
                Output::Json => output::line(serde_json::to_string_pretty(&items)?)?,
                Output::Table => {
                    output::print(&show::list(
                        operation.noun,
                        &operation.verb,
                        columns,
                        &items,
                    ))?;
                    if more {
                        eprintln!("There are more: ask with --limit.");
                    }
                }
            }
        }
        Answer::Object => {
            let answer: Value = client.request(request).await?;
            if let Some(kind) = Kind::of(operation).filter(|_| args.get_flag(WAIT)) {
                let ended = kind.ended(&client, &answer).await?;
                show_ended(operation, output, &ended)?;
                return Ok(ExitCode::from(u8::from(!wait::succeeded(&ended))));
            }
            match (output, &answer) {
                (Output::Table, Value::Null) if operation.method == "GET" => {
                    eprintln!("Nothing there.");
                }
                (Output::Table, Value::Null) => eprintln!("Done."),
                (Output::Table, answer) => output::print(&show::object(answer))?,
                (Output::Json, answer) => {
                    output::line(serde_json::to_string_pretty(answer)?)?;
                }
            }
        }
        Answer::Lines => {
            let mut lines = Lines::new(tokio::io::stdout());
            let written = client.request_into(request, &mut lines).await;
            output::unless_shut(written)?;
            let refused = lines.refused();
            ensure!(refused == 0, "refused lines: {refused}");
        }
        Answer::Bytes => {
            // As it comes: an export may be longer than memory.
            let written = client.request_into(request, &mut tokio::io::stdout()).await;
            output::unless_shut(written)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows what was waited for: one object, or a list of several.
fn show_ended(operation: &Operation, output: Output, ended: &[Value]) -> anyhow::Result<()> {
    match (output, ended) {
        (Output::Json, [one]) => output::line(serde_json::to_string_pretty(one)?)?,
        (Output::Json, several) => output::line(serde_json::to_string_pretty(several)?)?,
        (Output::Table, [one]) => output::print(&show::object(one))?,
        (Output::Table, several) => {
            output::print(&show::list(operation.noun, "list", &[], several))?;
        }
    }
    Ok(())
}

fn client(args: &ArgMatches) -> anyhow::Result<Client> {
    let server: &String = args.get_one(SERVER).context("there is a default")?;
    let file = match args.get_one::<PathBuf>(TOKEN_FILE) {
        Some(file) => file.clone(),
        None => DataDir::named(None)?.file("dev.token"),
    };
    ensure!(
        file.exists(),
        "there is no token in {}: name its file with --token-file or JOBENGINE_TOKEN_FILE, or start `jobengine dev`",
        file.display()
    );
    Ok(Client::builder(server)
        .token(TokenSource::file(file))
        .build()?)
}

fn request(operation: &Operation, args: &ArgMatches) -> anyhow::Result<Request> {
    let given = |parameter: &Parameter| -> Vec<String> {
        let values = args.try_get_many::<String>(&parameter.name);
        let values = values.ok().flatten().into_iter().flatten();
        values.cloned().collect()
    };
    // Each place is filled by itself: a value with a `/` in it is one segment all the same.
    let segments = operation.path.trim_start_matches('/').split('/');
    let segments = segments.map(|segment| {
        let places = of(operation, Place::Path);
        places.fold(segment.to_owned(), |segment, parameter| {
            let value = given(parameter).pop().unwrap_or_default();
            segment.replace(&format!("{{{}}}", parameter.name), &value)
        })
    });
    let method = Method::from_bytes(operation.method.as_bytes())?;
    let mut request = Request::new(method, segments);
    for parameter in of(operation, Place::Query) {
        for value in given(parameter) {
            request = request.query(&parameter.name, value);
        }
    }
    for parameter in of(operation, Place::Header) {
        for mut value in given(parameter) {
            if parameter.name == IF_MATCH && value.bytes().all(|byte| byte.is_ascii_digit()) {
                value = format!("\"{value}\"");
            }
            request = request.header(&parameter.name, value);
        }
    }
    Ok(match &operation.body {
        Body::Nothing => request,
        Body::Json => {
            let mut body = from_file(args)?.unwrap_or_default();
            body.extend(fields(operation, given)?);
            request.json(&Value::Object(body))
        }
        Body::List(name) => {
            let body = match (from_file(args)?, fields(operation, given)?) {
                (Some(body), item) => {
                    ensure!(
                        item.is_empty(),
                        "say either --{BODY}, or one of them with flags"
                    );
                    body
                }
                (None, item) => {
                    ensure!(
                        !item.is_empty(),
                        "say one with flags, or many with --{BODY}"
                    );
                    Map::from_iter([(name.clone(), Value::Array(vec![item.into()]))])
                }
            };
            request.json(&Value::Object(body))
        }
        Body::Document(media_type) => {
            let file: &String = args.get_one(DOCUMENT).context("a document is required")?;
            let document = if file == "-" {
                Document::bytes(read("-")?)
            } else {
                Document::file(file)
            };
            request.document(media_type, document)
        }
    })
}

/// The whole body, where a file holds it.
fn from_file(args: &ArgMatches) -> anyhow::Result<Option<Map<String, Value>>> {
    let Some(file) = args.get_one::<String>(BODY) else {
        return Ok(None);
    };
    let body = serde_json::from_slice(&read(file)?)
        .with_context(|| format!("{file} is not a JSON object"))?;
    Ok(Some(body))
}

/// The fields that flags say.
fn fields(
    operation: &Operation,
    given: impl Fn(&Parameter) -> Vec<String>,
) -> anyhow::Result<Map<String, Value>> {
    let mut fields = Map::new();
    for parameter in of(operation, Place::Body) {
        let values = given(parameter);
        let Some(last) = values.last() else { continue };
        let value = if parameter.many {
            values.iter().cloned().map(Value::String).collect()
        } else if parameter.json {
            serde_json::from_str(last).with_context(|| {
                format!(
                    "`{last}` is no JSON: {} is not a plain text",
                    parameter.name
                )
            })?
        } else {
            Value::String(last.clone())
        };
        fields.insert(parameter.name.clone(), value);
    }
    Ok(fields)
}

fn of(operation: &Operation, place: Place) -> impl Iterator<Item = &Parameter> {
    let parameters = operation.parameters.iter();
    parameters.filter(move |parameter| parameter.place == place)
}

/// Up to `limit` items, and whether there are more.
async fn pages(
    client: &Client,
    request: &Request,
    limit: usize,
) -> anyhow::Result<(Vec<Value>, bool)> {
    let (mut items, mut token) = (Vec::new(), None::<String>);
    loop {
        let size = (limit - items.len()).min(PAGE_MAX);
        let mut page = request.clone().query("limit", size.to_string());
        if let Some(token) = &token {
            page = page.query("continuationToken", token);
        }
        let mut answer: Value = client.request(page).await?;
        let mut got = match answer["items"].take() {
            Value::Array(got) => got,
            _ => Vec::new(),
        };
        items.append(&mut got);
        // A search may find nothing on a page and go on; a list that is followed for ever ends for now
        // where its token stays as it was.
        let next = answer["continuationToken"].as_str().map(str::to_owned);
        if next.is_none() || next == token {
            return Ok((items, false));
        }
        if items.len() >= limit {
            return Ok((items, true));
        }
        token = next;
    }
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    if file == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
            .context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {file}"))
}
