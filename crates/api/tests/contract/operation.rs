//! The operations of the contract, and the requests that they make possible.

use std::collections::BTreeMap;

use jobengine_domain::caller::Scope;
use jobengine_domain::id::TenantId;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::service::Service;
use crate::world::World;

/// An operation as the document has it.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// None for a public one.
    pub(crate) scope: Option<String>,
    pub(crate) audited: bool,
    pub(crate) parameters: Vec<Parameter>,
    /// Media type and example.
    pub(crate) body: Option<(String, Value)>,
    /// The places of the body that hold ids, as JSON pointers; the first item stands for all of an array.
    pub(crate) body_ids: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) required: bool,
    /// Whether an id stands there.
    pub(crate) is_id: bool,
}

/// Everything of one request but who sends it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<(String, Vec<u8>)>,
}

/// Every operation of the contract.
pub(crate) fn all() -> Vec<Operation> {
    let document = serde_json::to_value(jobengine_api::document()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(read(&document, path, method, operation));
        }
    }
    assert!(all.len() > 35, "the contract shrank");
    all
}

/// Those that need a token.
pub(crate) fn guarded() -> impl Iterator<Item = Operation> {
    all()
        .into_iter()
        .filter(|operation| operation.scope.is_some())
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let scope = operation["x-scope"].as_str().unwrap();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|parameter| {
        let place = parameter["$ref"]
            .as_str()
            .map(|to| to.trim_start_matches('#'));
        let parameter = place.map_or(parameter, |place| document.pointer(place).unwrap());
        Parameter {
            name: parameter["name"].as_str().unwrap().to_owned(),
            place: parameter["in"].as_str().unwrap().to_owned(),
            required: parameter["required"] == true,
            is_id: parameter["schema"]["format"] == "uuid",
        }
    });
    let content = operation["requestBody"]["content"].as_object();
    let body = content.and_then(|content| content.iter().next());
    let mut body_ids = Vec::new();
    if let Some((_, content)) = body {
        ids(document, &content["schema"], String::new(), &mut body_ids);
    }
    Operation {
        id: operation["operationId"].as_str().unwrap().to_owned(),
        method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
        path: path.to_owned(),
        scope: (scope != "public").then(|| scope.to_owned()),
        audited: operation["x-effect"] == "audited",
        parameters: parameters.collect(),
        body: body.map(|(media_type, content)| (media_type.clone(), content["example"].clone())),
        body_ids,
    }
}

/// Finds the ids in what a schema describes. No request holds itself.
fn ids(document: &Value, schema: &Value, at: String, found: &mut Vec<String>) {
    let named = schema["$ref"].as_str().map(|to| to.trim_start_matches('#'));
    let schema = named.map_or(schema, |to| document.pointer(to).unwrap());
    if schema["format"] == "uuid" {
        found.push(at);
        return;
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        ids(document, property, format!("{at}/{name}"), found);
    }
    if schema["items"].is_object() {
        ids(document, &schema["items"], format!("{at}/0"), found);
    }
    for of in ["oneOf", "anyOf", "allOf"] {
        for part in schema[of].as_array().into_iter().flatten() {
            ids(document, part, at.clone(), found);
        }
    }
}

impl Operation {
    /// Whether it names something that belongs to a tenant.
    pub(crate) fn names_things(&self) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.place == "path")
    }

    pub(crate) fn takes(&self, header: &str) -> Option<&Parameter> {
        let named = |parameter: &&Parameter| parameter.name.eq_ignore_ascii_case(header);
        self.parameters.iter().find(named)
    }

    /// A good request for it, about things of this world.
    pub(crate) fn call(&self, world: &World) -> Call {
        let mut call = Call {
            path: self.path.clone(),
            ..Call::default()
        };
        let mut query = Vec::new();
        for parameter in &self.parameters {
            let name = parameter.name.as_str();
            match parameter.place.as_str() {
                "path" => {
                    let value = world.value(self, name);
                    call.path = call.path.replace(&format!("{{{name}}}"), &value);
                }
                "query" if parameter.required => {
                    query.push(format!("{name}={}", world.value(self, name)));
                }
                "header" if parameter.required => {
                    let value = world.value(self, name);
                    call.headers.insert(name.to_owned(), value);
                }
                _ => {}
            }
        }
        query.extend(world.query(self));
        if !query.is_empty() {
            call.path = format!("{}?{}", call.path, query.join("&"));
        }
        call.body = self.body.as_ref().map(|(media_type, example)| {
            let bytes = match world.body(self, example) {
                Value::String(text) => text.into_bytes(),
                body => body.to_string().into_bytes(),
            };
            (media_type.clone(), bytes)
        });
        call
    }

    /// Sends a request as somebody of a tenant with these scopes; with none, without a token.
    pub(crate) async fn send(
        &self,
        service: &Service,
        caller: Option<(TenantId, &[Scope])>,
        call: &Call,
    ) -> Response {
        let url = format!("{}{}", service.url, call.path);
        let mut request: RequestBuilder = service.http.request(self.method.clone(), url);
        if let Some((tenant, scopes)) = caller {
            request = request.bearer_auth(token(service, tenant, scopes));
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if let Some((media_type, bytes)) = &call.body {
            request = request
                .header("content-type", media_type)
                .body(bytes.clone());
        }
        request.send().await.unwrap()
    }
}

/// A token of somebody of a tenant with these scopes: the same one that makes the worlds.
pub(crate) fn token(service: &Service, tenant: TenantId, scopes: &[Scope]) -> String {
    let request = jobengine_api::TokenRequest {
        subject: "world".to_owned(),
        tenant,
        project: None,
        scopes: scopes.to_vec(),
        ttl_s: 600,
    };
    service.issuer.mint(&request).unwrap()
}
