//! The contract as it is published: what the operations declare, made whole.
//!
//! An operation says what is its own. What all of them share is added here, once and by rule, so that
//! an operation added later has it by being declared: bounds of common parameters, headers of every
//! request and answer, examples, links from what makes a thing to what is done with it, and the text
//! of the groups. `page` draws the same document for people.

mod asset;
mod example;
mod header;
mod link;
mod page;
mod parameter;
mod problem;
mod route;
mod tag;

use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Operation;

use asset::Asset;
pub(crate) use route::routes;

/// The contract as this service serves it: drawn once, at the start.
#[derive(Debug)]
pub(crate) struct Published {
    document: Asset,
    page: Asset,
}

impl Published {
    /// Draws a whole document.
    pub(crate) fn new(document: &OpenApi) -> Self {
        let value = serde_json::to_value(document).expect("an OpenAPI document is plain JSON");
        let text = crate::server::written(document);
        Self {
            page: page::contract(&value),
            document: Asset::json(text),
        }
    }
}

/// Makes the document of the route table whole.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    tag::describe(&mut document);
    parameter::bound(&mut document);
    header::declare(&mut document);
    problem::exemplify(&mut document);
    link::declare(&mut document);
    example::fill(&mut document);
    document
}

/// Every operation of the document.
fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ]
        .into_iter()
        .flatten()
    })
}
