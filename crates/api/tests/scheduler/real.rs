//! The real documents, sent as they lie in the data folder, which not every machine has.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::facts::{image, sbom};
use crate::service::Service;

/// A file of the data folder: `JOBENGINE_DATA`, else beside the workspace. Tells why a test is skipped.
fn packed(name: &str) -> Option<Vec<u8>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("JOBENGINE_DATA").map_or_else(beside, PathBuf::from);
    let path = folder.join("impact").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

/// The documents of a `.jsonl.zst` file, one a line.
pub(crate) fn lines_of(name: &str) -> Option<Vec<Value>> {
    let mut decoder = zstd::Decoder::new(std::io::Cursor::new(packed(name)?)).unwrap();
    decoder.window_log_max(27).unwrap();
    let text = std::io::read_to_string(decoder).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

#[tokio::test]
async fn the_real_advisories_are_taken_and_previewed() {
    let Some(head) = packed("advisories/all.head.jsonl.zst") else {
        return;
    };
    let service = Service::start().await;
    let path = "/advisories?source=all&mode=snapshot";
    let stored = service
        .post_packed(path, "zstd", head.clone())
        .await
        .ok(200);
    let number = |field: &str| stored[field].as_u64().unwrap();
    let problems = stored["problems"].as_array().unwrap();
    assert!(number("stored") > 10_000, "{stored:#}");
    assert_eq!(
        number("stored") + problems.len() as u64,
        number("received"),
        "{stored:#}"
    );
    assert_eq!(number("changed"), number("stored"));

    let cut = head[..head.len() / 2].to_vec();
    let answer = service.post_packed(path, "zstd", cut).await;
    assert_eq!(answer.problem().1, "COMPRESSION_TRUNCATED");
    let again = service
        .post_packed(path, "zstd", head.clone())
        .await
        .ok(200);
    assert_eq!(
        (&again["changed"], &again["withdrawn"]),
        (&json!(0), &json!(0))
    );

    let sboms = format!("/sboms?image={}", image(1));
    service
        .post(&sboms, sbom(&["pkg:npm/jquery@1.0.0"]))
        .await
        .ok(201);
    let same = service
        .post_packed("/impact/preview?source=all", "zstd", head)
        .await;
    // What is refused on the way in is refused here too, by name.
    if problems.is_empty() {
        assert_eq!(same.ok(200)["imagesImpacted"], 0);
    } else {
        assert_eq!(Value::from(same.problem().1), problems[0]["code"]);
    }
}

#[tokio::test]
async fn the_real_catalogue_is_taken_and_its_truncated_commit_is_not() {
    let (Some(whole), Some(cut)) = (
        packed("kev/kev.base.json.zst"),
        packed("kev/kev.truncated-15200f913fd2.json.zst"),
    ) else {
        return;
    };
    let service = Service::start().await;
    let stored = service
        .post_packed("/kev?source=cisa", "zstd", whole.clone())
        .await
        .ok(200);
    assert!(stored["added"].as_u64().unwrap() > 500, "{stored:#}");
    let answer = service.post_packed("/kev?source=cisa", "zstd", cut).await;
    assert_eq!(answer.problem().0, 422, "{:#}", answer.body);
    let again = service
        .post_packed("/kev?source=cisa", "zstd", whole)
        .await
        .ok(200);
    assert_eq!(
        (&again["added"], &again["removed"]),
        (&json!(0), &json!(0)),
        "the whole one stood"
    );
}
