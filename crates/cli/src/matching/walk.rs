//! Which files a list of paths means.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jobengine_impact::document::{DocumentCode, DocumentError};

/// Directories inside one another that are searched.
const DEPTH_MAX: usize = 32;

const DOCUMENTS: [&str; 3] = [".json", ".jsonl", ".ndjson"];
const PACKED: [&str; 2] = [".zst", ".gz"];

/// The files to read and the paths that cannot be searched, both sorted and each once.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) found: BTreeSet<PathBuf>,
    pub(super) refused: Vec<(PathBuf, DocumentError)>,
}

/// Finds the files: a file that is named itself counts whatever it is called, a directory gives the
/// documents in it. Hidden entries and links to directories are passed over.
pub(super) fn files(paths: &[PathBuf]) -> Files {
    let mut files = Files::default();
    for path in paths.iter().collect::<BTreeSet<_>>() {
        if !path.is_dir() {
            files.found.insert(path.clone());
            continue;
        }
        let before = (files.found.len(), files.refused.len());
        search(path, 0, &mut files);
        if before == (files.found.len(), files.refused.len()) {
            let detail = "the directory holds no *.json, *.jsonl or *.ndjson, plain or packed";
            files.refuse(path, detail);
        }
    }
    files
}

impl Files {
    fn refuse(&mut self, path: &Path, detail: impl std::fmt::Display) {
        let error = DocumentError::new(DocumentCode::Unreadable, "the directory", detail);
        self.refused.push((path.to_owned(), error));
    }
}

fn search(directory: &Path, depth: usize, files: &mut Files) {
    if depth > DEPTH_MAX {
        files.refuse(
            directory,
            format_args!("more than {DEPTH_MAX} directories deep"),
        );
        return;
    }
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return files.refuse(directory, error),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                files.refuse(directory, error);
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            search(&entry.path(), depth + 1, files);
        } else if is_document(&name) && entry.path().is_file() {
            files.found.insert(entry.path());
        }
    }
}

fn is_document(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let bare = PACKED
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(&name);
    DOCUMENTS.iter().any(|end| bare.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_known_by_their_names() {
        let check = |name, expected| assert_eq!(is_document(name), expected, "{name}");
        check("a.json", true);
        check("a.cdx.JSON", true);
        check("a.jsonl.zst", true);
        check("a.ndjson.gz", true);
        check("a.zst", false);
        check("json", false);
        check("README.md", false);
    }

    #[test]
    fn a_directory_gives_its_documents_in_order() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, "{}").expect("a file");
        };
        for name in [
            "b.json",
            "a/z.json",
            "a.json.zst",
            ".git/c.json",
            "notes.txt",
        ] {
            write(name);
        }
        let files = files(&[root.path().to_owned(), root.path().join("notes.txt")]);
        let found: Vec<_> = files
            .found
            .iter()
            .map(|path| path.strip_prefix(root.path()).expect("below"))
            .collect();
        let expected = ["a/z.json", "a.json.zst", "b.json", "notes.txt"].map(Path::new);
        assert_eq!(found, expected);
        assert!(files.refused.is_empty());
    }

    #[test]
    fn an_empty_directory_is_named() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let files = files(&[root.path().to_owned()]);
        assert!(files.found.is_empty());
        assert_eq!(files.refused[0].1.code, DocumentCode::Unreadable);
    }
}
