//! The folder of real data, which not every machine has.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the data lies: `JOBENGINE_DATA`, else beside the workspace. Tells why a test is skipped.
fn file(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("JOBENGINE_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join("impact").join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The documents of a `.jsonl.zst` file, one a line; `None` without the data folder.
pub(crate) fn json_lines(name: &str) -> Option<Vec<Value>> {
    let packed = std::fs::File::open(file(name)?).expect("the data file opens");
    let mut decoder = zstd::Decoder::new(packed).expect("a zstd stream");
    decoder
        .window_log_max(27)
        .expect("a window of 128 MiB is allowed");
    let text = std::io::read_to_string(decoder).expect("the data is text");
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect(),
    )
}
