//! The contract as the command line needs it.

use serde_json::{Map, Value};

use super::schema::{is, is_plain, is_text, resolve, value_name};

/// What an operation's name begins with, and the noun under which it stands; the longer ones first.
const NOUNS: [(&str, &str, &str); 27] = [
    ("dead_letter", "deadletter", "Jobs out of attempts"),
    (
        "impact_run",
        "impact-run",
        "Runs over the images that changes hit",
    ),
    (
        "bulk_action",
        "bulk",
        "Act on many jobs or dead letters at once",
    ),
    ("impact_debt", "impact-debt", "Images that runs left out"),
    ("advisories", "advisory", "Advisories"),
    (
        "revocation",
        "revocation",
        "Tokens that are no longer believed",
    ),
    ("advisory", "advisory", "Advisories"),
    ("pack_run", "pack-run", "Runs of packs"),
    ("project", "project", "Divisions inside the tenant"),
    ("finding", "finding", "What is wrong with which image"),
    ("webhook", "webhook", "Where events are sent"),
    (
        "refusal",
        "refusal",
        "Records of sources that could not be read",
    ),
    ("api_key", "api-key", "Keys of services"),
    (
        "cursor",
        "cursor",
        "How far the scheduler has followed its streams",
    ),
    ("worker", "worker", ""),
    ("tenant", "tenant", ""),
    ("source", "source", "Upstreams"),
    ("impact", "impact", "What a change would hit"),
    ("event", "events", ""),
    ("image", "image", "Container images"),
    ("audit", "audit", ""),
    ("sbom", "sbom", "Bills of materials"),
    ("job", "job", "Units of work"),
    ("run", "run", "Jobs started together"),
    ("vex", "vex", "Statements about what is not exploitable"),
    (
        "kev",
        "kev",
        "The catalogue of what is known to be exploited",
    ),
    ("key", "key", "Public keys of the installation"),
];
/// Workers speak these themselves.
const WORKERS: &str = "orch:worker";
/// These need no token: a browser reads them.
const PUBLIC: &str = "public";

/// Where an operation is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listener {
    /// By the API.
    Contract,
    /// By the listener for inside eyes.
    Administration,
}

/// An operation as a command.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub noun: &'static str,
    pub noun_about: &'static str,
    pub verb: String,
    pub about: String,
    pub long_about: Option<String>,
    /// What its body may look like.
    pub example: Option<Value>,
    pub method: String,
    pub path: String,
    /// Parameters of path, query and headers.
    pub parameters: Vec<Parameter>,
    pub body: Body,
    pub answer: Answer,
    pub listener: Listener,
}

/// A parameter, as a flag or a position.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub name: String,
    pub place: Place,
    pub help: String,
    pub required: bool,
    /// What may stand there, in a word: `TIME`, `low|normal`.
    pub value: String,
    pub many: bool,
    pub json: bool,
}

/// Where a parameter stands in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Nothing,
    /// Fields, each a flag, or a file with all of them.
    Json,
    /// A list in the field of this name: flags say one item, a file all of them.
    List(String),
    /// A document of this media type, from a file.
    Document(String),
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Pages of objects with these fields.
    Page(Vec<String>),
    /// A line for each line that was sent, printed as it comes.
    Lines,
    /// One JSON value.
    Object,
    /// Something else, printed as it is.
    Bytes,
}

/// The operations of a contract that people ask for.
pub(super) fn operations(document: &Value, listener: Listener) -> Vec<Operation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let mut operations: Vec<Operation> = paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.filter_map(move |(method, operation)| {
                read(document, listener, path, method, operation)
            })
        })
        .collect();
    operations.sort_by(|a, b| (a.noun, &a.verb).cmp(&(b.noun, &b.verb)));
    operations
}

fn read(
    document: &Value,
    listener: Listener,
    path: &str,
    method: &str,
    operation: &Value,
) -> Option<Operation> {
    let id = operation["operationId"].as_str()?;
    let scope = operation["x-scope"].as_str()?;
    let (noun, verb, noun_about) = NOUNS.iter().find_map(|(prefix, noun, about)| {
        let verb = id.strip_prefix(prefix)?.strip_prefix('_')?;
        Some((*noun, verb, *about))
    })?;
    let answer = answer(document, operation)?;
    if [WORKERS, PUBLIC].contains(&scope) {
        return None;
    }
    let (body, fields) = body(document, operation);
    let mut parameters: Vec<Parameter> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|parameter| self::parameter(document, parameter))
        .collect();
    parameters.extend(fields);
    let text = |name: &str| operation[name].as_str().map(str::to_owned);
    Some(Operation {
        noun,
        noun_about,
        verb: verb.replace('_', "-"),
        about: text("summary").unwrap_or_default(),
        long_about: text("description").map(|text| paragraphs(&text)),
        example: example(operation),
        method: method.to_uppercase(),
        path: path.to_owned(),
        parameters,
        body,
        answer,
        listener,
    })
}

/// A paragraph is a line: the terminal breaks it.
fn paragraphs(text: &str) -> String {
    let paragraphs = text.split("\n\n");
    let lines: Vec<String> = paragraphs.map(|text| text.replace('\n', " ")).collect();
    lines.join("\n\n")
}

fn example(operation: &Value) -> Option<Value> {
    let json = &operation["requestBody"]["content"]["application/json"];
    Some(json["example"].clone()).filter(Value::is_object)
}

fn parameter(document: &Value, parameter: &Value) -> Option<Parameter> {
    let parameter = resolve(document, parameter);
    let name = parameter["name"].as_str()?;
    let place = match parameter["in"].as_str()? {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        _ => return None,
    };
    let schema = resolve(document, &parameter["schema"]);
    Some(Parameter {
        name: name.to_owned(),
        place,
        help: parameter["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        required: parameter["required"].as_bool() == Some(true),
        value: value_name(schema),
        many: is(schema, "array"),
        json: false,
    })
}

fn body(document: &Value, operation: &Value) -> (Body, Vec<Parameter>) {
    let Some(content) = operation["requestBody"]["content"].as_object() else {
        return (Body::Nothing, Vec::new());
    };
    let Some((media_type, content)) = content.iter().next() else {
        return (Body::Nothing, Vec::new());
    };
    let schema = resolve(document, &content["schema"]);
    let Some(properties) = schema["properties"].as_object() else {
        return (Body::Document(media_type.clone()), Vec::new());
    };
    if let Some((name, item)) = only_list(document, properties) {
        return (Body::List(name.to_owned()), fields(document, item));
    }
    (Body::Json, fields(document, schema))
}

/// The one field of a body that has no other, and the schema of the objects listed there.
fn only_list<'a>(
    document: &'a Value,
    properties: &'a Map<String, Value>,
) -> Option<(&'a str, &'a Value)> {
    let (name, list) = properties.iter().next().filter(|_| properties.len() == 1)?;
    let item = resolve(document, &resolve(document, list)["items"]);
    item["properties"].is_object().then_some((name, item))
}

/// The fields of an object.
fn fields(document: &Value, schema: &Value) -> Vec<Parameter> {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let field = |(name, property): (&String, &Value)| {
        let resolved = resolve(document, property);
        let items = resolve(document, &resolved["items"]);
        let many = is(resolved, "array") && is_plain(items);
        let help = [property, resolved]
            .into_iter()
            .find_map(|schema| schema["description"].as_str());
        Parameter {
            name: name.clone(),
            place: Place::Body,
            help: help.unwrap_or_default().to_owned(),
            required: required.contains(&name.as_str()),
            value: value_name(if many { items } else { resolved }),
            many,
            json: !many && !is_text(resolved),
        }
    };
    let mut fields: Vec<_> = properties.map(field).collect();
    // What is needed is read first.
    fields.sort_by_key(|field| !field.required);
    fields
}

fn answer(document: &Value, operation: &Value) -> Option<Answer> {
    let responses = operation["responses"].as_object()?;
    // Without a good answer of its own it is another protocol: `events tail` follows what there is.
    let (_, good) = responses
        .iter()
        .find(|(status, _)| status.starts_with('2'))?;
    let good = resolve(document, good);
    let Some(content) = good["content"].as_object() else {
        return Some(Answer::Object);
    };
    // A stream has no end: `events tail` follows it.
    if content.contains_key("text/event-stream") {
        return None;
    }
    if content.contains_key("application/x-ndjson") {
        return Some(Answer::Lines);
    }
    let Some(json) = content.get("application/json") else {
        return Some(Answer::Bytes);
    };
    let schema = resolve(document, &json["schema"]);
    // A document of somebody's, or a signed envelope: what it is worth depends on every byte.
    let is_free = schema["properties"].is_null() && schema["allOf"].is_null();
    if is_free || schema["properties"]["payloadType"].is_object() {
        return Some(Answer::Bytes);
    }
    let items = &schema["properties"]["items"];
    if !items.is_object() {
        return Some(Answer::Object);
    }
    let item = resolve(document, &resolve(document, items)["items"]);
    let fields = item["properties"].as_object().into_iter().flatten();
    Some(Answer::Page(fields.map(|(name, _)| name.clone()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_people_may_ask_for_is_a_command() {
        let document = serde_json::to_value(jobengine_api::document()).unwrap();
        let known = operations(&document, Listener::Contract);
        let mut missing = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(scope) = operation["x-scope"].as_str() else {
                    continue;
                };
                let is_known = known
                    .iter()
                    .any(|known| known.path == *path && known.method.eq_ignore_ascii_case(method));
                let is_stream = answer(&document, operation).is_none();
                if !is_known && !is_stream && ![WORKERS, PUBLIC].contains(&scope) {
                    missing.push(operation["operationId"].to_string());
                }
            }
        }
        assert!(missing.is_empty(), "no noun for {missing:?}");
    }

    #[test]
    fn a_command_says_what_the_contract_says() {
        let document = serde_json::to_value(jobengine_api::document()).unwrap();
        let all = operations(&document, Listener::Contract);
        let find = |noun: &str, verb: &str| {
            let found = all.iter().find(|it| it.noun == noun && it.verb == verb);
            found.unwrap_or_else(|| panic!("{noun} {verb}"))
        };
        let list = find("job", "list");
        let Answer::Page(columns) = &list.answer else {
            panic!("a page")
        };
        assert!(columns.contains(&"jobId".to_owned()));
        let submit = find("job", "submit");
        assert_eq!(submit.body, Body::List("jobs".to_owned()));
        let said = submit.parameters.iter().map(|it| (&*it.name, &*it.value));
        let said: Vec<_> = said.collect();
        assert!(said.contains(&("payload", "JSON")), "{said:?}");
        assert!(said.contains(&("deadline", "TIME")), "{said:?}");
        let dead_letters = find("deadletter", "list");
        let decision = dead_letters
            .parameters
            .iter()
            .find(|it| it.name == "decision");
        assert_eq!(decision.unwrap().value, "open|replayed|discarded");
        let cancel = find("job", "cancel");
        assert_eq!(cancel.parameters[0].place, Place::Path);
        assert_eq!(
            find("sbom", "put").body,
            Body::Document("application/json".to_owned())
        );
    }
}
