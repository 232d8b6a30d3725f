//! The contract for people: one page, drawn from the document at the start, with nothing from elsewhere.
//!
//! It can be read without a script; the script only hides what a search does not name.

mod markup;
mod operation;
mod schema;

use std::fmt::Write as _;

use serde_json::Value;

use super::asset::Asset;
use markup::{escape, inline};
use operation::Place;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("search.js");
const INTRODUCTION: &str = include_str!("introduction.html");

/// Draws the page of the whole contract.
pub(crate) fn contract(document: &Value) -> Asset {
    let info = &document["info"];
    let version = escape(info["version"].as_str().unwrap_or_default());
    let (mut contents, mut groups) = (String::new(), String::new());
    let tags = document["tags"].as_array().into_iter().flatten();
    // What names no group stands with the service's own.
    for tag in tags {
        let name = tag["name"].as_str().unwrap_or_default();
        let anchor = escape(&name.replace(' ', "-"));
        let title = escape(name);
        let text = inline(tag["description"].as_str().unwrap_or_default());
        let _ = writeln!(
            contents,
            "<section><h2><a href=\"#group-{anchor}\">{title}</a></h2><ul>"
        );
        let _ = writeln!(
            groups,
            "<section class=\"group\" id=\"group-{anchor}\"><h2>{title}</h2><p>{text}</p>"
        );
        for place in places(document, name) {
            let (id, method) = (escape(place.id()), escape(place.method));
            let _ = writeln!(
                contents,
                "<li><a href=\"#{id}\"><span class=\"method {method}\">{method}</span> {}</a></li>",
                escape(place.summary())
            );
            groups.push_str(&place.article());
        }
        contents.push_str("</ul></section>\n");
        groups.push_str("</section>\n");
    }
    let main = format!(
        "<header class=\"top\"><div><h1>JobEngine <span>API</span></h1><p>{}</p></div>\
         <p class=\"facts\"><span class=\"chip\">version {version}</span> \
         <a class=\"chip\" href=\"/openapi/orchestrator.json\">OpenAPI document</a></p></header>\n\
         {INTRODUCTION}{groups}",
        inline(info["description"].as_str().unwrap_or_default()),
    );
    let body = format!(
        "<a class=\"skip\" href=\"#main\">To the operations</a>\n\
         <div class=\"frame\"><nav aria-label=\"Operations\"><p class=\"brand\"><a href=\"/docs\">JobEngine</a></p>\
         <input id=\"search\" type=\"search\" placeholder=\"Search\" aria-label=\"Search operations\" autocomplete=\"off\" hidden>\n\
         <details id=\"contents\" open><summary>Contents</summary>\n{contents}</details></nav>\n\
         <main id=\"main\">{main}<p id=\"none\" hidden>No operation has all of these words.</p></main></div>\n\
         <script>{SCRIPT}</script>\n"
    );
    Asset::page(shell("JobEngine API", &body), STYLE, SCRIPT)
}

/// Draws the page of one problem, out of its Markdown.
pub(crate) fn problem(text: &str) -> Asset {
    let title = text.lines().next().unwrap_or_default();
    let title = title.trim_start_matches("# ");
    let body = format!(
        "<main class=\"page\"><p class=\"brand\"><a href=\"/docs\">JobEngine API</a></p>\n{}</main>\n",
        markup::markdown(text)
    );
    Asset::page(shell(title, &body), STYLE, "")
}

fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// The operations of a group, by path.
fn places<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = Place<'a>> {
    let items = document["paths"].as_object().into_iter().flatten();
    items
        .flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        })
        .filter(move |(.., operation)| operation["tags"][0] == tag)
        .map(move |(path, method, operation)| Place {
            root: document,
            method,
            path,
            operation,
        })
}
