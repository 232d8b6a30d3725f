//! One operation as an article.

use std::fmt::Write as _;

use serde_json::Value;

use super::markup::{escape, inline};
use super::schema;

/// Where an operation stands in the document.
pub(super) struct Place<'a> {
    pub(super) root: &'a Value,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) operation: &'a Value,
}

impl Place<'_> {
    /// Its name.
    pub(super) fn id(&self) -> &str {
        self.operation["operationId"].as_str().unwrap_or_default()
    }

    /// What it does, in one line.
    pub(super) fn summary(&self) -> &str {
        self.operation["summary"].as_str().unwrap_or_default()
    }

    /// The whole article.
    pub(super) fn article(&self) -> String {
        let mut out = String::new();
        let id = escape(self.id());
        let deprecated = self.operation["deprecated"] == true;
        let _ = write!(
            out,
            "<article id=\"{id}\">\n<h3>{}{}<a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to {id}\">#</a></h3>\n\
             <p class=\"line\"><span class=\"method {m}\">{m}</span> <code class=\"path\">{}</code></p>\n",
            inline(self.summary()),
            if deprecated {
                " <span class=\"old\">deprecated</span>"
            } else {
                ""
            },
            path(self.path),
            m = escape(self.method),
        );
        out.push_str(&self.demands());
        if let Some(text) = self.operation["description"].as_str() {
            let _ = writeln!(out, "<p>{}</p>", inline(text));
        }
        out.push_str(&self.parameters());
        out.push_str(&self.body());
        out.push_str(&self.answers());
        let _ = writeln!(
            out,
            "<details><summary>As a command</summary><pre>{}</pre></details>\n</article>",
            escape(&self.command())
        );
        out
    }

    /// What it asks of the caller.
    fn demands(&self) -> String {
        let mut chips = Vec::new();
        match self.operation["x-scope"].as_str() {
            Some("public") | None => chips.push("<span class=\"chip\">no token</span>".to_owned()),
            Some(scope) => chips.push(format!(
                "<span class=\"chip\">scope <code>{}</code></span>",
                escape(scope)
            )),
        }
        if self.operation["x-effect"] == "audited" {
            chips.push("<span class=\"chip\">audited</span>".to_owned());
        }
        if self.operation["x-reason"] == true {
            chips.push("<span class=\"chip\">needs a reason</span>".to_owned());
        }
        format!("<p class=\"chips\">{}</p>\n", chips.join(" "))
    }

    fn parameters(&self) -> String {
        let (mut own, mut shared) = (String::new(), Vec::new());
        for parameter in self.operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let common = parameter["$ref"].is_string();
            let parameter = schema::resolved(self.root, parameter);
            let name = parameter["name"].as_str().unwrap_or_default();
            if common {
                shared.push(format!("<code>{}</code>", escape(name)));
                continue;
            }
            let place = parameter["in"].as_str().unwrap_or_default();
            let kind = schema::kind(self.root, &parameter["schema"]);
            let text = parameter["description"].as_str().unwrap_or_default();
            own.push_str(&schema::row(
                name,
                &format!("{place} · {kind}"),
                parameter["required"] == true,
                text,
            ));
        }
        let mut out = String::new();
        if !own.is_empty() {
            let _ = write!(
                out,
                "<h4>Parameters</h4>\n<table class=\"fields\"><tbody>\n{own}</tbody></table>\n"
            );
        }
        if !shared.is_empty() {
            let _ = writeln!(
                out,
                "<p class=\"shared\">Headers of every request: {}</p>",
                shared.join(", ")
            );
        }
        out
    }

    fn body(&self) -> String {
        let body = &self.operation["requestBody"];
        let Some(content) = body["content"].as_object() else {
            return String::new();
        };
        let mut out = String::from("<h4>Body</h4>\n");
        if let Some(text) = body["description"].as_str() {
            let _ = writeln!(out, "<p>{}</p>", inline(text));
        }
        for (media_type, content) in content {
            let _ = writeln!(out, "<p class=\"media\">{}</p>", escape(media_type));
            out.push_str(&schema::table(self.root, &content["schema"]));
            out.push_str(&examples(content));
        }
        out
    }

    fn answers(&self) -> String {
        let mut out = String::from("<h4>Answers</h4>\n");
        for (status, answer) in self.operation["responses"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let text = answer["description"].as_str().unwrap_or_default();
            let class = if status.as_str() < "400" {
                "good"
            } else {
                "bad"
            };
            let _ = writeln!(
                out,
                "<div class=\"answer\"><span class=\"status {class}\">{}</span><div><p>{}</p>",
                escape(status),
                codes(text)
            );
            for (media_type, content) in answer["content"].as_object().into_iter().flatten() {
                if media_type == "application/problem+json" {
                    continue;
                }
                let fields = schema::table(self.root, &content["schema"]);
                let _ = write!(
                    out,
                    "<details><summary>{}</summary>\n{fields}{}</details>\n",
                    escape(media_type),
                    examples(content)
                );
            }
            out.push_str("</div></div>\n");
        }
        out
    }

    /// The request as `curl` sends it.
    fn command(&self) -> String {
        let mut out = format!(
            "curl -X {} \"$URL{}\"",
            self.method.to_uppercase(),
            self.path
        );
        if self.operation["x-scope"] != "public" {
            out.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
        }
        if self.operation["x-effect"] == "audited" {
            out.push_str(" \\\n  -H \"Idempotency-Key: $(uuidgen)\"");
        }
        let content = self.operation["requestBody"]["content"].as_object();
        if let Some((media_type, content)) = content.and_then(|content| content.iter().next()) {
            let _ = write!(out, " \\\n  -H 'Content-Type: {media_type}'");
            match &content["example"] {
                Value::String(_) | Value::Null => out.push_str(" \\\n  --data-binary @FILE"),
                example => {
                    let text = example.to_string().replace('\'', r"'\''");
                    let _ = write!(out, " \\\n  -d '{text}'");
                }
            }
        }
        out
    }
}

/// A path with its places set off.
fn path(path: &str) -> String {
    escape(path)
        .replace('{', "<b>{")
        .replace('}', "}</b>")
        .replace('/', "/<wbr>")
}

/// A text in which the codes lead to their pages.
fn codes(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split_inclusive([' ', '(', ')', ',']).enumerate() {
        let word = part.trim_end_matches([' ', '(', ')', ',']);
        match crate::problem::page(&word.to_lowercase().replace('_', "-")) {
            Some(_) if word.chars().all(|c| c.is_ascii_uppercase() || c == '_') => {
                let page = word.to_lowercase().replace('_', "-");
                let rest = &part[word.len()..];
                let _ = write!(
                    out,
                    "<a class=\"code\" href=\"/problems/{page}\">{word}</a>{rest}"
                );
            }
            _ if at == 0 || !part.is_empty() => out.push_str(&inline(part)),
            _ => {}
        }
    }
    out
}

fn examples(content: &Value) -> String {
    let mut out = String::new();
    let single = content.get("example").map(|value| ("Example", value));
    let many = content["examples"].as_object().into_iter().flatten();
    let many = many.map(|(name, example)| (name.as_str(), &example["value"]));
    for (name, value) in single.into_iter().chain(many) {
        let text = match value {
            Value::String(text) => text.clone(),
            value => serde_json::to_string_pretty(value).unwrap_or_default(),
        };
        let _ = writeln!(
            out,
            "<p class=\"media\">{}</p><pre>{}</pre>",
            escape(name),
            escape(&text)
        );
    }
    out
}
