//! A link between our documents leads somewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::File;

/// Every relative link of a Markdown file whose file or heading is not there.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let known: BTreeMap<&str, &File> = files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&["md"])) {
        for (number, line) in prose(file) {
            for target in targets(line).filter(|target| !target.contains(':')) {
                if !leads_somewhere(&known, &file.path, target) {
                    broken.push(format!("{}:{number}: `{target}` leads nowhere", file.path));
                }
            }
        }
    }
    broken
}

/// Lines outside fenced code.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    file.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// What stands between `](` and `)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

fn leads_somewhere(known: &BTreeMap<&str, &File>, from: &str, target: &str) -> bool {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        from.to_owned()
    } else {
        resolve(from, path)
    };
    let Some(file) = known.get(path.as_str()) else {
        let folder = format!("{}/", path.trim_end_matches('/'));
        return heading.is_empty() && known.keys().any(|known| known.starts_with(&folder));
    };
    heading.is_empty() || headings(file).contains(heading)
}

/// `../a.md` as seen from `docs/b.md`.
fn resolve(from: &str, path: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors that a forge makes of the headings.
fn headings(file: &File) -> BTreeSet<String> {
    prose(file)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| line.trim_start_matches('#').trim())
        .map(|title| {
            let kept = title.to_lowercase();
            let kept = kept
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    fn check_link(target: &str, expected: usize) {
        let files = [
            file("README.md", "# The house\n## 1. What `it` is\n"),
            file(
                "docs/adr/0001-a.md",
                &format!("see [x]({target})\n```\n[y](nowhere)\n```\n"),
            ),
        ];
        assert_eq!(check(&files).len(), expected, "{target}");
    }

    #[test]
    fn links_lead_somewhere() {
        check_link("../../README.md", 0);
        check_link("../../README.md#1-what-it-is", 0);
        check_link("../../README.md#the-garden", 1);
        check_link("../adr", 0);
        check_link("0001-a.md", 0);
        check_link("0002-b.md", 1);
        check_link("https://example.org/nowhere", 0);
    }
}
