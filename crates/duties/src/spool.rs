//! The spool: a directory out of which something else takes files.

use std::io::Write as _;
use std::path::Path;

/// Writes a file: first beside its place, then moved there, so that it appears whole or not at all.
/// `draft` tells drafts of the same file apart.
pub(crate) fn put(
    dir: &Path,
    name: &str,
    draft: impl std::fmt::Display,
    body: &[u8],
) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let draft = dir.join(format!(".{name}.{draft}"));
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(body)?;
    file.sync_all()?;
    std::fs::rename(&draft, dir.join(name))?;
    std::fs::File::open(dir)?.sync_all()
}
