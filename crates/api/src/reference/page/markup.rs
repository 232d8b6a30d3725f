//! Text into HTML: escaped, with the little Markdown that our texts use.

use std::fmt::Write as _;

/// Writes a text so that it is shown as it stands.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// One paragraph: `code` between backticks, `[text](page)` where the page is one of ours.
pub(super) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            let _ = write!(out, "<code>{}</code>", escape(part));
        } else {
            out.push_str(&links(part));
        }
    }
    out
}

fn links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, title, to, after)) = link(rest) {
        let page = to.trim_end_matches(".md");
        let _ = write!(
            out,
            "{}<a href=\"{}\">{}</a>",
            escape(before),
            escape(page),
            escape(title)
        );
        rest = after;
    }
    out + &escape(rest)
}

/// The first link of a text, in the parts around it. Only names of pages are followed.
fn link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (before, rest) = text.split_once('[')?;
    let (title, rest) = rest.split_once("](")?;
    let (to, after) = rest.split_once(')')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._#/".contains(c);
    to.chars().all(plain).then_some((before, title, to, after))
}

/// A whole page of Markdown: headings, paragraphs, lists and fenced code.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut block: Vec<&str> = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            flush(&mut block, &mut out);
            out.push_str(if fenced { "</pre>\n" } else { "<pre>" });
            fenced = !fenced;
        } else if fenced {
            let _ = writeln!(out, "{}", escape(line));
        } else if line.trim().is_empty() {
            flush(&mut block, &mut out);
        } else if let Some(title) = line.strip_prefix("## ") {
            flush(&mut block, &mut out);
            let _ = writeln!(out, "<h2>{}</h2>", inline(title));
        } else if let Some(title) = line.strip_prefix("# ") {
            flush(&mut block, &mut out);
            let _ = writeln!(out, "<h1>{}</h1>", inline(title));
        } else {
            if line.starts_with("- ") && block.first().is_some_and(|l| !l.starts_with("- ")) {
                flush(&mut block, &mut out);
            }
            block.push(line);
        }
    }
    flush(&mut block, &mut out);
    if fenced {
        out.push_str("</pre>\n");
    }
    out
}

/// Writes the lines of one paragraph or list.
fn flush(block: &mut Vec<&str>, out: &mut String) {
    let text = block.join("\n");
    block.clear();
    if let Some(items) = text.strip_prefix("- ") {
        out.push_str("<ul>\n");
        for item in items.split("\n- ") {
            let _ = writeln!(out, "<li>{}</li>", inline(item));
        }
        out.push_str("</ul>\n");
    } else if !text.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", inline(&text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_becomes_a_tag() {
        assert_eq!(inline("a<b> `<c>`"), "a&lt;b&gt; <code>&lt;c&gt;</code>");
        assert_eq!(
            inline("[x](javascript:1) [y](not-found.md)"),
            "[x](javascript:1) [y](not-found.md)",
            "after a place that is no page of ours nothing is followed"
        );
        assert_eq!(inline("[y](not-found.md)"), "<a href=\"not-found\">y</a>");
    }

    #[test]
    fn headings_paragraphs_lists_and_code() {
        let text = "# A\n\none\ntwo\n- x\n- y\n  z\n\n```\n# <no>\n```\n## B\nend";
        let html = "<h1>A</h1>\n<p>one\ntwo</p>\n<ul>\n<li>x</li>\n<li>y\n  z</li>\n</ul>\n\
                    <pre># &lt;no&gt;\n</pre>\n<h2>B</h2>\n<p>end</p>\n";
        assert_eq!(markdown(text), html);
    }
}
