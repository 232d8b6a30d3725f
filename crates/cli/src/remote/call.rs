//! Asking the server.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::ArgMatches;
use jobengine_sdk::{Client, Document, Method, Request, TokenSource};
use serde_json::{Map, Value};

use super::command::{BODY, DOCUMENT, LIMIT, OUTPUT, SERVER, TOKEN_FILE};
use super::contract::{Answer, Body, Operation, Parameter, Place};
use super::show;
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
                    output::print(&show::table(operation.noun, columns, &items))?;
                    if more {
                        eprintln!("There are more: ask with --limit.");
                    }
                }
            }
        }
        Answer::Object => {
            let answer: Value = client.request(request).await?;
            match (output, &answer) {
                (Output::Table, Value::Null) => eprintln!("Done."),
                (Output::Table, answer) => output::print(&show::object(answer))?,
                (Output::Json, answer) => {
                    output::line(serde_json::to_string_pretty(answer)?)?;
                }
            }
        }
        Answer::Bytes => {
            let bytes = client.request_bytes(request).await?;
            output::bytes(&bytes)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn client(args: &ArgMatches) -> anyhow::Result<Client> {
    let server: &String = args.get_one(SERVER).context("there is a default")?;
    let file = match args.get_one::<PathBuf>(TOKEN_FILE) {
        Some(file) => file.clone(),
        None => DataDir::open(None)?.file("dev.token"),
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
    let mut path = operation.path.clone();
    for parameter in of(operation, Place::Path) {
        let value = given(parameter).pop().unwrap_or_default();
        path = path.replace(&format!("{{{}}}", parameter.name), &value);
    }
    let method = Method::from_bytes(operation.method.as_bytes())?;
    let mut request = Request::new(method, path.trim_start_matches('/').split('/'));
    for parameter in of(operation, Place::Query) {
        for value in given(parameter) {
            request = request.query(&parameter.name, value);
        }
    }
    for parameter in of(operation, Place::Header) {
        for value in given(parameter) {
            request = request.header(&parameter.name, value);
        }
    }
    Ok(match &operation.body {
        Body::Nothing => request,
        Body::Json => request.json(&body(operation, args, given)?),
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

fn body(
    operation: &Operation,
    args: &ArgMatches,
    given: impl Fn(&Parameter) -> Vec<String>,
) -> anyhow::Result<Value> {
    let mut body = match args.get_one::<String>(BODY) {
        Some(file) => serde_json::from_slice::<Map<String, Value>>(&read(file)?)
            .with_context(|| format!("{file} is not a JSON object"))?,
        None => Map::new(),
    };
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
        body.insert(parameter.name.clone(), value);
    }
    Ok(Value::Object(body))
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
        // A list that is followed for ever has a token even where it ends for now.
        let is_end = got.is_empty();
        items.append(&mut got);
        let next = answer["continuationToken"].as_str().map(str::to_owned);
        if next.is_none() || next == token || is_end {
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
