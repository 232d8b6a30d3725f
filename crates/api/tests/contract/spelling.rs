//! An id has one spelling, wherever it comes in.

use jobengine_domain::caller::Scope;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operation::{Call, Operation, guarded};
use crate::service::{OURS, Service};
use crate::world::{World, fresh};

/// Other ways to write an id, which readers of UUIDs often take.
pub(crate) fn misspelled(id: &str) -> Vec<(&'static str, String)> {
    let bare = id.replace('-', "");
    vec![
        ("in upper case", id.to_uppercase()),
        ("in braces", format!("{{{id}}}")),
        ("as a URN", format!("urn:uuid:{id}")),
        ("without hyphens", bare.clone()),
        ("in braces without hyphens", format!("{{{bare}}}")),
        ("with a blank", format!(" {id}")),
        ("cut short", id[..35].to_owned()),
        ("with one more digit", format!("{id}0")),
    ]
}

/// An id with letters in it, so that it has an upper case.
fn id() -> String {
    let id = Uuid::from_u128(fresh() | 0xabc);
    id.to_string()
}

/// Makes the request with this id in a place.
type WithId = Box<dyn Fn(&str) -> Call>;

/// A way to say an id in a request, and where the refusal says that it is wrong.
struct Place {
    name: String,
    code: &'static str,
    is_header: bool,
    /// The request with this in that place.
    call: WithId,
}

fn places(operation: &Operation, world: &World) -> Vec<Place> {
    let good = operation.call(world);
    let mut places = Vec::new();
    for parameter in operation
        .parameters
        .iter()
        .filter(|parameter| parameter.is_id)
    {
        let (name, call) = (parameter.name.clone(), good.clone());
        let (code, call): (_, WithId) = match parameter.place.as_str() {
            "path" => {
                let value = world.value(operation, &name);
                (
                    "PARAMETER_INVALID",
                    Box::new(move |id| {
                        changed(&call, |call| {
                            call.path = call.path.replacen(&value, &escaped(id), 1);
                        })
                    }),
                )
            }
            "query" => (
                "PARAMETER_INVALID",
                Box::new(move |id| {
                    changed(&call, |call| {
                        let sign = if call.path.contains('?') { '&' } else { '?' };
                        call.path = format!("{}{sign}{name}={}", call.path, escaped(id));
                    })
                }),
            ),
            _ => {
                let code = match name.as_str() {
                    "X-Stella-Tenant" => "TENANT_MISMATCH",
                    "X-Stella-Project" => "HEADER_INVALID",
                    _ => "PARAMETER_INVALID",
                };
                (
                    code,
                    Box::new(move |id| {
                        changed(&call, |call| {
                            call.headers.insert(name.clone(), id.to_owned());
                        })
                    }),
                )
            }
        };
        let name = parameter.name.clone();
        let is_header = parameter.place == "header";
        places.push(Place {
            name,
            code,
            is_header,
            call,
        });
    }
    for pointer in operation.body_ids.clone() {
        let (name, call) = (pointer.clone(), good.clone());
        let call: WithId = Box::new(move |id| {
            changed(&call, |call| {
                let (_, bytes) = call.body.as_mut().unwrap();
                let mut body: Value = serde_json::from_slice(bytes).unwrap();
                put(&mut body, &pointer, id);
                *bytes = body.to_string().into_bytes();
            })
        });
        places.push(Place {
            name,
            code: "REQUEST_INVALID",
            is_header: false,
            call,
        });
    }
    places
}

fn changed(call: &Call, change: impl FnOnce(&mut Call)) -> Call {
    let mut call = call.clone();
    change(&mut call);
    call
}

/// As it stands in a URL.
fn escaped(id: &str) -> String {
    id.replace('{', "%7B")
        .replace('}', "%7D")
        .replace(' ', "%20")
}

/// Puts an id in a place of a body; what leads there is made where it is missing.
fn put(body: &mut Value, pointer: &str, id: &str) {
    let mut at = body;
    for step in pointer.trim_start_matches('/').split('/') {
        at = match step.parse::<usize>() {
            Ok(_) => {
                if !at[0].is_object() {
                    *at = json!([{}]);
                }
                &mut at[0]
            }
            Err(_) => &mut at[step],
        };
    }
    *at = id.into();
}

#[tokio::test]
async fn an_id_is_taken_in_its_one_spelling_only() {
    let service = Service::start().await;
    let world = World::shared(&service).await;
    let us = Some((OURS, Scope::ALL));
    let (mut seen, mut taken) = (0, Vec::new());
    for operation in guarded() {
        for place in places(&operation, &world) {
            seen += 1;
            for (how, bad) in misspelled(&id()) {
                // A server reads a header without the blanks around it.
                if how == "with a blank" && place.is_header {
                    continue;
                }
                let call = (place.call)(&bad);
                let response = operation.send(&service, us, &call).await;
                let status = response.status().as_u16();
                let problem: Value = match status {
                    400.. => response.json().await.unwrap_or_default(),
                    // A stream has no end.
                    _ => Value::Null,
                };
                let field = problem["errors"][0]["field"].as_str().unwrap_or_default();
                let field = format!("/{}", field.replace(['.', '['], "/").replace(']', ""));
                let refused = problem["code"] == place.code
                    && (place.code != "REQUEST_INVALID" || field == place.name);
                if !refused {
                    let id = &operation.id;
                    taken.push(format!("{id}: {} {how}: {status} {problem}", place.name));
                }
            }
        }
    }
    assert!(
        taken.is_empty(),
        "{} taken:\n{}",
        taken.len(),
        taken.join("\n")
    );
    assert!(seen > 60, "{seen} places hold ids");
}
