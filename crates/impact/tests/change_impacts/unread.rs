//! What is read of the records that real databases once published broken.

use jobengine_impact::advisory::osv;

use crate::{SOURCES, data};

#[test]
fn a_record_with_something_to_read_is_never_refused() {
    let (mut refused, mut in_part, mut all) = (0, 0, 0);
    for source in SOURCES {
        let changes = format!("advisories/{source}.changes.jsonl.zst");
        let Some(lines) = data::json_lines(&changes) else {
            return;
        };
        for record in lines.iter().map(|line| &line["advisory"]) {
            if record.is_null() {
                continue;
            }
            all += 1;
            match osv::read(&serde_json::to_vec(record).unwrap()) {
                Ok(advisory) => in_part += usize::from(!advisory.unread.is_empty()),
                Err(error) => {
                    refused += 1;
                    let entries = record["affected"].as_array();
                    let mut entries = entries.into_iter().flatten();
                    let listed = entries.any(|entry| {
                        let versions = entry["versions"].as_array();
                        versions.is_some_and(|versions| !versions.is_empty())
                    });
                    assert!(
                        !listed && record["withdrawn"].is_null(),
                        "{error}: {record}"
                    );
                }
            }
        }
    }
    println!("{all} records, {in_part} read in part, {refused} refused");
    assert!(in_part > 50 && refused < all / 40);
}
