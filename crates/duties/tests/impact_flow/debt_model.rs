//! Changes, failures, cancels and deaths in any order: once what is owed is paid, the findings are those that
//! one evaluation of everything gives, as `jobengine match` does it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jobengine_domain::digest::Digest;
use jobengine_duties::driver::Duty as _;
use jobengine_impact::advisory::osv;
use jobengine_impact::evaluate::{ImageInput, Scope, evaluate};
use jobengine_impact::finding::FindingSets;
use jobengine_impact::kev::KevCatalogue;
use jobengine_impact::matcher::Matcher;
use jobengine_impact::sbom::{self, Component};
use jobengine_impact::vex::{Statement, openvex};

use crate::flow::{Flow, advisory};

const IMAGES: u8 = 5;
const PACKAGES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Debug, Clone, Copy)]
enum Op {
    /// The image is made of the packages whose bits are set.
    Put(u8, u8),
    Remove(u8),
    /// The package is flawed up to this major version; 0: not at all.
    Advise(u8, u8),
    /// The flaw of the package is said not to affect what has it, or to affect it.
    State(u8, bool),
    /// The flaws whose bits are set are exploited.
    Exploit(u8),
    Plan,
    Evaluate(u8),
    Fail(u8),
    /// The worker uploads what cannot be read.
    Spoil(u8),
    /// The run is called off while a worker holds segments of it.
    Cancel(u8),
    Complete,
    /// The duty that completes runs dies after so many milliseconds.
    Die(u8),
    /// The duty that plans dies after so many milliseconds.
    DiePlanning(u8),
    /// A minute passes.
    Wait,
}

use Op::{
    Advise, Cancel, Complete, Die, DiePlanning, Evaluate, Exploit, Fail, Plan, Put, Remove, Spoil,
    State, Wait,
};

/// The same numbers from the same seed (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u8) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u8::try_from(self.0 % u64::from(bound)).unwrap()
    }

    fn op(&mut self) -> Op {
        match self.below(20) {
            0..3 => Put(self.below(IMAGES), self.below(16)),
            3 => Remove(self.below(IMAGES)),
            4..7 => Advise(self.below(4), self.below(4)),
            7 => State(self.below(4), self.below(2) == 0),
            8 => Exploit(self.below(16)),
            9..12 => Plan,
            12 => Evaluate(1 + self.below(3)),
            13 | 14 => Fail(1 + self.below(3)),
            15 => Spoil(1 + self.below(2)),
            16 => Cancel(self.below(3)),
            17 => Complete,
            18 if self.below(2) == 0 => Die(self.below(20)),
            18 => DiePlanning(self.below(20)),
            _ => Wait,
        }
    }
}

/// What was put into the ledger, kept beside it.
#[derive(Default)]
struct Model {
    images: BTreeMap<u8, u8>,
    advisories: BTreeMap<u8, u8>,
    statements: BTreeMap<u8, Vec<Statement>>,
    exploited: u8,
}

fn cve(package: u8) -> String {
    format!("CVE-2024-{package}")
}

fn purls(made_of: u8) -> Vec<String> {
    let parts = (0..4).filter(|part| made_of & (1 << part) != 0);
    parts
        .map(|part| format!("pkg:npm/{}@1.0.0", PACKAGES[part]))
        .collect()
}

fn statements(package: u8, affected: bool, version: usize) -> Vec<Statement> {
    let status = if affected { "affected" } else { "not_affected" };
    let said = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"v{package}","author":"a","version":{version},
            "timestamp":"2024-01-01T00:{version:02}:00Z","statements":[{{"vulnerability":{{"name":"{}"}},
            "products":[{{"@id":"pkg:npm/{}@1.0.0"}}],"status":"{status}","justification":"component_not_present",
            "action_statement":"update"}}]}}"#,
        cve(package),
        PACKAGES[usize::from(package)]
    );
    openvex::read(said.as_bytes()).unwrap()
}

impl Model {
    fn records(&self) -> Vec<String> {
        let flawed = self.advisories.iter().filter(|(_, fixed)| **fixed > 0);
        flawed
            .map(|(package, fixed)| {
                let name = PACKAGES[usize::from(*package)];
                let id = format!("X-{package}");
                advisory(&id, &cve(*package), name, &format!("{}.0.0", fixed - 1))
            })
            .collect()
    }

    fn exploited(&self) -> Vec<String> {
        let known = (0..4).filter(|flaw| self.exploited & (1 << flaw) != 0);
        known.map(cve).collect()
    }

    /// What one evaluation of everything finds.
    async fn expected(&self, flow: &Flow) -> FindingSets {
        let mut numbers = BTreeMap::new();
        let mut parts: BTreeMap<String, (Vec<String>, Vec<Component>)> = BTreeMap::new();
        let tx = flow.store.begin(&flow.caller).await.unwrap();
        for (image, made_of) in &self.images {
            let name = image.to_string();
            let digest = Digest::of(name.as_bytes());
            let record = tx.image_find(digest).await.unwrap().unwrap();
            let components: Vec<String> = purls(*made_of)
                .iter()
                .map(|purl| format!(r#"{{"type":"library","purl":"{purl}"}}"#))
                .collect();
            let document = format!(
                r#"{{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{}]}}"#,
                components.join(",")
            );
            let sbom = sbom::read(document.as_bytes()).unwrap();
            parts.insert(digest.to_string(), (vec![name], sbom.components));
            numbers.insert(digest.to_string(), record.number);
        }
        let records: Vec<_> = self
            .records()
            .iter()
            .map(|record| osv::read(record.as_bytes()).unwrap())
            .collect();
        let kev = KevCatalogue {
            entries: self
                .exploited()
                .into_iter()
                .map(|cve| (cve, "2024-01-01".to_owned()))
                .collect(),
        };
        let said: Vec<Statement> = self.statements.values().flatten().cloned().collect();
        let inputs = parts.iter().map(|(image, (names, components))| ImageInput {
            image,
            digest: Some(image),
            names,
            components,
        });
        let found = evaluate(inputs, &Scope::All, &Matcher::new(&records), &kev, &said);
        let numbers = numbers
            .iter()
            .map(|(image, number)| (image.as_str(), *number))
            .collect();
        let mut sets = FindingSets::default();
        sets.replace(&numbers, &Scope::All, &found.findings);
        sets
    }
}

async fn perform(flow: &Flow, model: &mut Model, step: usize, op: Op) {
    match op {
        Put(image, made_of) => {
            model.images.insert(image, made_of);
            let purls = purls(made_of);
            let purls: Vec<&str> = purls.iter().map(String::as_str).collect();
            flow.image(&image.to_string(), &purls).await;
        }
        Remove(image) => {
            model.images.remove(&image);
            let tx = flow.store.begin(&flow.caller).await.unwrap();
            let image = Digest::of(image.to_string().as_bytes());
            tx.image_remove(image).await.unwrap();
            tx.commit().await.unwrap();
        }
        Advise(package, fixed) => {
            model.advisories.insert(package, fixed);
            flow.advisories(&model.records()).await;
        }
        State(package, affected) => {
            let said = statements(package, affected, step);
            model.statements.insert(package, said.clone());
            let tx = flow.store.begin(&flow.caller).await.unwrap();
            let source = tx.source_ensure("vex").await.unwrap();
            let location = format!("v{package}");
            tx.vex_put(source, &location, &location, &said)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
        Exploit(flaws) => {
            model.exploited = flaws;
            let known = model.exploited();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            flow.kev(&known).await;
        }
        Plan => flow.plan().await,
        Evaluate(max) => drop(flow.evaluate(max.into()).await),
        Fail(max) => drop(flow.fail(max.into()).await),
        Spoil(max) => drop(flow.evaluate_with(max.into(), |_| b"{}".to_vec()).await),
        Cancel(held) => {
            flow.claim(held.into()).await;
            flow.cancel_all().await;
        }
        Complete => flow.complete().await,
        Die(after) => {
            let after = Duration::from_millis(after.into());
            drop(tokio::time::timeout(after, flow.completing.activate()).await);
        }
        DiePlanning(after) => {
            let after = Duration::from_millis(after.into());
            drop(tokio::time::timeout(after, flow.planner.activate()).await);
        }
        Wait => {}
    }
}

impl Flow {
    /// Calls off every run that has not completed: a worker that holds a segment of one comes too late.
    async fn cancel_all(&self) {
        let tx = self.store.begin(&self.caller).await.unwrap();
        for run in tx.impact_run_list(None, 100).await.unwrap() {
            if run.completed_at.is_none() {
                tx.run_cancel(run.id).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
    }
}

async fn check(name: &str, ops: &[Op]) {
    let (flow, clock) = Flow::timed().await;
    let mut model = Model::default();
    for (step, op) in ops.iter().enumerate() {
        clock.step_ms(if matches!(op, Wait) { 60_000 } else { 5 });
        perform(&flow, &mut model, step, *op).await;
    }
    let mut rounds = 0;
    loop {
        clock.step_ms(3 * 3_600_000);
        flow.plan().await;
        flow.evaluate(100).await;
        flow.complete().await;
        let open = flow.runs().await;
        let open = open.iter().any(|run| run.completed_at.is_none());
        let tx = flow.store.begin(&flow.caller).await.unwrap();
        let (pending, _) = tx
            .changes_pending(jobengine_duties::planner::STREAM)
            .await
            .unwrap();
        drop(tx);
        if !open && pending == 0 && flow.debts().await.is_empty() {
            break;
        }
        rounds += 1;
        assert!(
            rounds < 20,
            "{name}: {ops:?}: never done: {:?}",
            flow.debts().await
        );
    }
    let tx = flow.store.begin(&flow.caller).await.unwrap();
    let packages: BTreeSet<_> = PACKAGES
        .iter()
        .map(|package| format!("npm/{package}").parse().unwrap())
        .collect();
    let found: Vec<_> = tx.findings_get(&packages).await.unwrap().rows().collect();
    drop(tx);
    let expected: Vec<_> = model.expected(&flow).await.rows().collect();
    assert_eq!(found, expected, "{name}: {ops:?}");
}

/// Fifty steps from each of some seeds.
#[tokio::test]
async fn what_is_owed_is_paid_in_the_end() {
    for seed in 1..=12_u64 {
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let ops: Vec<Op> = (0..50).map(|_| draw.op()).collect();
        check(&format!("seed {seed}"), &ops).await;
    }
}

#[tokio::test]
async fn a_delta_that_fails_behind_a_new_sbom_is_not_lost() {
    check(
        "new SBOM",
        &[
            Put(0, 1),
            Plan,
            Evaluate(9),
            Complete,
            Advise(0, 3),
            Plan,
            Put(0, 3),
            Advise(1, 3),
            Plan,
            Fail(9),
            Complete,
        ],
    )
    .await;
}

#[tokio::test]
async fn an_image_that_fails_leaves_and_comes_back_is_evaluated() {
    check(
        "comes back",
        &[
            Put(0, 1),
            Advise(0, 3),
            Plan,
            Fail(9),
            Remove(0),
            Complete,
            Put(0, 1),
            Plan,
            Fail(9),
            Complete,
            Wait,
            Plan,
            Cancel(1),
            Complete,
        ],
    )
    .await;
}

#[tokio::test]
async fn a_debt_that_grows_while_it_is_paid_stays_for_the_rest() {
    check(
        "grows",
        &[
            Put(0, 3),
            Plan,
            Evaluate(9),
            Complete,
            Advise(0, 3),
            Plan,
            Fail(9),
            Complete,
            Advise(1, 3),
            Plan,
            Wait,
            Plan,
            Fail(1),
            Evaluate(9),
            Complete,
        ],
    )
    .await;
}
