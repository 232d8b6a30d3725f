//! `--wait`: whoever begins something learns what came of it.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::operator::{Operator, id};

impl Operator {
    /// A job that fails while somebody waits for it, and a bulk action that ends.
    pub(super) async fn waiting(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobengine"));
        command
            .args(["job", "submit", "--type", "waited", "--payload", "1"])
            .args(["--max-attempts", "1", "--wait", "--output", "json"])
            .args(["--server", &self.dev.url, "--token-file"])
            .arg(self.dev.token());
        let submitter = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let job = self.fail("waited").await;
        let output = submitter.wait_with_output().unwrap();
        let ended: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (id(&ended, "jobId"), id(&ended, "state")),
            (job, "failed".to_owned())
        );
        assert_eq!(output.status.code(), Some(1), "it did not succeed");

        let one = ["job", "submit", "--type", "unwanted", "--payload", "1"];
        self.change(&one, &Value::Null);
        let what = ["--action", "cancel", "--jobs", r#"{"type":"unwanted"}"#];
        let plan = self.change(&[&["bulk", "preview"][..], &what].concat(), &Value::Null);
        let digest = id(&plan, "planDigest");
        let confirmed = ["bulk", "create", "--wait", "--plan-digest", &digest];
        let ended = self.change(&[&confirmed[..], &what].concat(), &Value::Null);
        assert_eq!(
            (id(&ended, "state"), &ended["done"]),
            ("succeeded".to_owned(), &1.into())
        );
    }
}
