//! What the operator does, by the nouns of the commands.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use jobengine_domain::time::Timestamp;
use serde_json::{Value, json};

use super::operator::{Operator, id, text};
use crate::PATIENCE;

const IMAGE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

impl Operator {
    pub(super) fn objects(&mut self) {
        let none = Value::Null;
        let made = self.change(
            &["source", "create", "--name", "up", "--kind", "osv"],
            &none,
        );
        let source = id(&made, "sourceId");
        self.read(&["source", "list"]);
        self.read(&["source", "get", &source]);
        let renamed = self.change(
            &[
                "source",
                "update",
                &source,
                "--description",
                "d",
                "--if-match",
                "1",
            ],
            &none,
        );
        assert_eq!(renamed["version"], json!(2));
        self.change(&["source", "pause", &source, "--reason", "r"], &none);
        self.change(&["source", "resume", &source, "--reason", "r"], &none);
        self.change(&["source", "delete", &source], &none);

        let made = self.change(&["project", "create", "--name", "p"], &none);
        let project = id(&made, "projectId");
        self.read(&["project", "list"]);
        self.read(&["project", "get", &project]);
        self.change(
            &[
                "project",
                "update",
                &project,
                "--name",
                "q",
                "--if-match",
                "1",
            ],
            &none,
        );
        let tenant = "00000001-0000-7000-8000-000000000001";
        let inputs = ["--pack", r#"{"name":"n","version":"1"}"#, "--inputs", "{}"];
        let place = ["--project-id", &project, "--tenant", tenant];
        self.change(
            &[&["pack-run", "create"][..], &inputs, &place].concat(),
            &none,
        );
        let refused = self.run(&["project", "delete", &project], &none);
        assert_eq!(refused.status.code(), Some(1), "jobs belong to it");
        let made = self.change(&["project", "create", "--name", "gone"], &none);
        self.change(&["project", "delete", &id(&made, "projectId")], &none);

        let scopes = ["--scopes", "orch:read", "--expires-at", &soon()];
        let made = self.change(
            &[&["api-key", "create", "--name", "k"][..], &scopes].concat(),
            &none,
        );
        self.read(&["api-key", "list"]);
        self.change(&["api-key", "delete", &id(&made["apiKey"], "keyId")], &none);
        let made = self.change(&["revocation", "create", "--subject", "somebody"], &none);
        self.read(&["revocation", "list"]);
        self.change(&["revocation", "delete", &id(&made, "revocationId")], &none);
        assert!(
            self.good(&["key", "list"], &none)
                .contains("END PUBLIC KEY")
        );
    }

    pub(super) async fn jobs(&mut self) {
        let none = Value::Null;
        let one = ["job", "submit", "--type", "t", "--payload", r#"{"n":[1]}"#];
        let submitted = self.change(
            &[&one[..], &["--tags", "a", "--max-attempts", "1"]].concat(),
            &none,
        );
        let job = submitted["jobIds"][0].as_str().unwrap().to_owned();
        let lines = self.file(
            "jobs.ndjson",
            "{\"type\":\"later\",\"payload\":1}\nnonsense\n",
        );
        let refused = self.run(&["job", "stream", &lines], &none);
        assert_eq!(refused.status.code(), Some(1), "a line was refused");
        let jobs = json!({"jobs": [
            {"key": "a", "type": "t", "payload": 1},
            {"key": "b", "type": "t", "payload": 1, "parents": [{"key": "a"}]},
        ]});
        let run = id(
            &self.change(&["run", "create", "--body", "-"], &jobs),
            "runId",
        );
        self.read(&["run", "list"]);
        self.read(&["job", "explain", &job]);
        let first = self.fail("t").await;
        for verb in ["get", "dag", "gantt", "first-signal"] {
            self.read(&["run", verb, &run]);
        }
        for verb in ["get", "detail", "explain", "history", "logs", "artifacts"] {
            self.read(&["job", verb, &first]);
        }
        assert_eq!(
            self.good(&["job", "artifact", &first, "out.txt"], &none),
            "out"
        );
        self.read(&["job", "list", "--type", "t", "--state", "failed"]);
        self.read(&["job", "summary"]);
        self.read(&["worker", "list"]);
        let workers = self.read(&["worker", "list"]);
        self.read(&["worker", "get", &id(&workers[0], "sessionId")]);

        let letters = self.read(&["deadletter", "list"]);
        self.read(&["deadletter", "stats"]);
        let letter = |n: usize| id(&letters[n], "jobId");
        self.read(&["deadletter", "get", &letter(0)]);
        self.change(
            &["deadletter", "assign", &letter(0), "--owner", "alice"],
            &none,
        );
        let why = ["--reason", "r", "--ticket", "T-1"];
        self.change(
            &[&["deadletter", "replay", &letter(0)][..], &why].concat(),
            &none,
        );
        self.change(
            &["deadletter", "discard", &letter(1), "--reason", "r"],
            &none,
        );
        let replayed = self.change(&[&["job", "replay", &first][..], &why].concat(), &none);
        let waiting = id(&replayed, "jobId");
        self.change(
            &["job", "prioritize", &waiting, "--priority", "high"],
            &none,
        );
        let refused = self.run(&["job", "retry", &waiting], &none);
        assert_eq!(refused.status.code(), Some(1), "it has not failed");
        self.change(&["job", "cancel", &waiting, "--reason", "r"], &none);
        let again = self.change(&["run", "retry", &run, "--reason", "r"], &none);
        self.change(
            &["run", "cancel", &id(&again, "runId"), "--reason", "r"],
            &none,
        );

        let what = ["--action", "cancel", "--jobs", r#"{"type":"later"}"#];
        let plan = self.change(&[&["bulk", "preview"][..], &what].concat(), &none);
        assert_eq!(plan["count"], json!(1));
        let digest = plan["planDigest"].as_str().unwrap();
        let made = self.change(
            &[&["bulk", "create", "--plan-digest", digest][..], &what].concat(),
            &none,
        );
        let bulk = id(&made, "bulkActionId");
        self.read(&["bulk", "list"]);
        self.read(&["bulk", "get", &bulk]);
        self.change(&["bulk", "cancel", &bulk, "--reason", "r"], &none);
        self.read(&["events", "list"]);
    }

    pub(super) fn webhooks(&mut self) {
        let none = Value::Null;
        let receiver = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", receiver.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in receiver.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 16_384]);
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            }
        });
        let made = self.change(
            &[
                "webhook",
                "create",
                "--name",
                "w",
                "--url",
                &url,
                "--event-types",
                "job.*",
            ],
            &none,
        );
        let hook = id(&made["webhook"], "webhookId");
        let refused = self.run(
            &[
                "webhook",
                "create",
                "--name",
                "no",
                "--url",
                "https://10.0.0.1/",
            ],
            &none,
        );
        assert_eq!(refused.status.code(), Some(1), "a private address");
        self.read(&["webhook", "list"]);
        self.read(&["webhook", "get", &hook]);
        self.change(&["webhook", "test", &hook], &none);
        let deliveries = self.wait(&["webhook", "delivery-list", &hook]);
        let started = Instant::now();
        let delivery = id(&deliveries[0], "deliveryId");
        while !self
            .run(&["webhook", "redeliver", &hook, &delivery], &none)
            .status
            .success()
        {
            assert!(started.elapsed() < PATIENCE, "nothing is delivered");
            std::thread::sleep(Duration::from_millis(200));
        }
        self.change(&["webhook", "rotate-secret", &hook], &none);
        self.change(&["webhook", "update", &hook, "--name", "v"], &none);
        self.change(&["webhook", "pause", &hook], &none);
        self.change(&["webhook", "resume", &hook], &none);
        self.change(
            &["webhook", "hosts-put", "--hosts", "hooks.example.com"],
            &none,
        );
        self.read(&["webhook", "hosts-get"]);
        self.change(&["webhook", "remove", &hook], &none);
    }

    pub(super) fn impact(&mut self) {
        let none = Value::Null;
        let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"type": "library", "name": "left-pad", "version": "1.0.0", "purl": "pkg:npm/left-pad@1.0.0"},
        ]});
        // One alias cannot be read; the rest of the record counts.
        let advisory = json!({"id": "GHSA-0", "aliases": [7], "affected": [{
            "package": {"ecosystem": "npm", "name": "left-pad"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}],
        }]});
        let vex = json!({
            "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://vendor.example/vex/1",
            "timestamp": "2026-01-03T00:00:00Z", "statements": [{
                "vulnerability": {"name": "CVE-2026-1"}, "status": "under_investigation",
                "products": [{"@id": "pkg:npm/left-pad@1.0.0"}],
            }],
        });
        let kev = json!({"title": "t", "catalogVersion": "1", "dateReleased": "2026-01-02T00:00:00Z", "count": 1,
            "vulnerabilities": [{"cveID": "CVE-2026-1", "dateAdded": "2026-01-02"}]});
        let advisory = self.file("advisory.json", &advisory.to_string());
        let preview = self.read(&["impact", "preview", &advisory]);
        assert_eq!(preview["imagesImpacted"], json!(0));
        self.read(&["impact-debt", "list"]);
        let kev = self.file("kev.json", &kev.to_string());
        self.change(&["kev", "put", &kev], &none);
        let vex = self.file("vex.json", &vex.to_string());
        self.change(&["vex", "put", &vex, "--source", "vendor"], &none);
        self.change(
            &[
                "advisory", "put", &advisory, "--source", "ghsa", "--mode", "delta",
            ],
            &none,
        );
        let put = self.file("sbom.json", &sbom.to_string());
        self.change(&["sbom", "put", &put, "--image", IMAGE], &none);
        self.read(&["advisory", "list"]);
        self.read(&["advisory", "get", "GHSA-0"]);
        let refusals = self.read(&["refusal", "list", "--source", "ghsa"]);
        assert_eq!(refusals[0]["effect"], "partial");
        self.read(&["vex", "list"]);
        self.read(&["vex", "get", "https://vendor.example/vex/1"]);
        let sboms = self.read(&["sbom", "list"]);
        let digest = id(&sboms[0], "digest");
        self.read(&["sbom", "get", &digest]);
        // Byte for byte: its digest is its name.
        assert_eq!(
            self.good(&["sbom", "document", &digest], &none),
            sbom.to_string()
        );
        self.read(&["image", "list"]);
        self.read(&["image", "get", IMAGE]);
        self.wait(&["finding", "list"]);
        let runs = self.wait(&["impact-run", "list"]);
        let run = id(&runs[0], "runId");
        for verb in ["get", "deltas", "inputs"] {
            self.read(&["impact-run", verb, &run]);
        }
        let started = Instant::now();
        let envelope = loop {
            let output = self.run(&["impact-run", "completion", &run], &none);
            if output.status.success() {
                break text(&output.stdout);
            }
            assert!(started.elapsed() < PATIENCE, "no completion comes");
            std::thread::sleep(Duration::from_millis(200));
        };
        let envelope = self.file("completion.dsse.json", &envelope);
        let key = self.dev.data.join("keys/completion.pub.pem");
        let verified = Command::new(env!("CARGO_BIN_EXE_jobengine"))
            .args(["events", "verify", &envelope, "--key"])
            .arg(key)
            .output();
        assert!(
            verified.unwrap().status.success(),
            "what was printed is what was signed"
        );
        self.read(&["cursor", "list"]);
        self.change(&["image", "remove", IMAGE], &none);
    }

    pub(super) fn trail(&mut self) {
        let rows = self.read(&["audit", "list"]);
        self.read(&["audit", "get", &id(&rows[0], "auditId")]);
        self.read(&["audit", "check"]);
        self.wait(&["audit", "checkpoints"]);
        self.good(&["audit", "export"], &Value::Null);
    }
}

/// A month from now.
fn soon() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap());
    now.plus_ms(30 * 24 * 3_600_000).to_string()
}
