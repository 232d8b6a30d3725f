"""Puts one of everything into a fresh server and writes the ids of it, one kind to a file.

Usage: seed.py URL FOLDER, with the token in JOBENGINE_TOKEN.
"""

import json
import os
import pathlib
import sys
import time
import uuid

import requests

URL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ORCHESTRATOR, SCHEDULER = f"{URL}/api/v1/orchestrator", f"{URL}/api/v1/scheduler"
PATIENCE_S = 30
DIGESTS = ["sha256:" + digit * 64 for digit in "2a"]
SESSION = str(uuid.UUID(int=0x7_0000_8000_0000_0000_0001))

http = requests.Session()
http.headers["Authorization"] = f"Bearer {os.environ['JOBENGINE_TOKEN']}"


def call(method, url, **kwargs):
    headers = {"Idempotency-Key": str(uuid.uuid4())} if method != "GET" else {}
    answer = http.request(method, url, headers=headers, timeout=45, **kwargs)
    if not answer.ok:
        sys.exit(f"{method} {url}: {answer.status_code} {answer.text}")
    return answer.json()


def sbom(version):
    purl = f"pkg:npm/left-pad@{version}"
    component = {"type": "library", "name": "left-pad", "version": version, "purl": purl}
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component]}


ADVISORY = {
    "id": "GHSA-seed-0001",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-1000"],
    "database_specific": {"severity": "HIGH"},
    "affected": [
        {
            "package": {"ecosystem": "npm", "name": "left-pad"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.3.0"}]}],
        }
    ],
}
KEV = {"count": 1, "vulnerabilities": [{"cveID": "CVE-2026-1000", "dateAdded": "2026-01-02"}]}
VEX = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://vendor.example/vex/1",
    "timestamp": "2026-01-03T00:00:00Z",
    "statements": [
        {
            "vulnerability": {"name": "CVE-2026-1000"},
            "products": [{"@id": "pkg:npm/left-pad@1.2.0"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }
    ],
}


def inventory():
    """Two images, a flaw that hits one of them, and the runs that find out."""
    for digest, version in zip(DIGESTS, ["1.0.0", "1.2.0"]):
        call("POST", f"{SCHEDULER}/sboms", params={"image": digest}, json=sbom(version))
    call("POST", f"{SCHEDULER}/vex", params={"source": "vendor-a"}, json=VEX)
    call("POST", f"{SCHEDULER}/kev", params={"source": "cisa"}, json=KEV)
    query = {"source": "osv-npm", "mode": "snapshot"}
    call("POST", f"{SCHEDULER}/advisories", params=query, json=ADVISORY)
    started = time.monotonic()
    while True:
        runs = call("GET", f"{SCHEDULER}/runs")["items"]
        if runs and all(run["state"] == "completed" for run in runs):
            return [run["runId"] for run in runs]
        if time.monotonic() - started > PATIENCE_S:
            sys.exit(f"no impact run completed within {PATIENCE_S} s: {runs}")
        time.sleep(0.2)


def ledger():
    """A queued job, a canceled one, a leased one, a dead letter and a run with a DAG."""
    job = {"type": "seed.work", "payload": {"n": 1}, "maxAttempts": 1}
    jobs = call("POST", f"{ORCHESTRATOR}/jobs", json={"jobs": [job] * 4})["jobIds"]
    call("POST", f"{ORCHESTRATOR}/jobs/{jobs[3]}:cancel")
    claim = {"sessionId": SESSION, "worker": "seed", "types": ["seed.work"], "max": 2}
    grants = call("POST", f"{ORCHESTRATOR}/worker/claim", json=claim)["grants"]
    report = {
        "jobId": grants[0]["jobId"],
        "leaseToken": grants[0]["leaseToken"],
        "outcome": "failed",
        "class": "schema",
        "detail": "not what was promised",
    }
    reports = {"sessionId": SESSION, "reports": [report]}
    call("POST", f"{ORCHESTRATOR}/worker/complete", json=reports)
    child = {"key": "b", "type": "seed.other", "payload": 2, "parents": [{"key": "a"}]}
    run = {"jobs": [{"key": "a", "type": "seed.other", "payload": 1}, child]}
    run = call("POST", f"{ORCHESTRATOR}/runs", json=run)
    return jobs + [job["jobId"] for job in run["jobs"]], [run["runId"]]


def write(name, ids):
    """In the format of a fuzzer's dictionary: one quoted text a line."""
    (FOLDER / f"{name}.txt").write_text("".join(f"{json.dumps(one)}\n" for one in ids))


impact_runs = inventory()
job_ids, run_ids = ledger()
write("job-ids", job_ids)
write("run-ids", run_ids)
write("impact-run-ids", impact_runs)
write("digests", DIGESTS)
