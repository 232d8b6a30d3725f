//! What every version order promises, on versions and on noise:
//! ORDER-1 nothing panics; ORDER-2 a version equals itself; ORDER-3 turning a comparison turns its
//! answer; ORDER-4 the order is transitive.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::{Scheme, Version};

/// Texts close to versions: a few parts from a small alphabet, so that near misses are common.
fn near_version() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[0-9]{1,3}",
        1 => Just("0".to_owned()),
        1 => Just("18446744073709551616".to_owned()),
        2 => prop::sample::select(vec![
            "alpha", "a", "beta", "b", "m", "rc", "cr", "snapshot", "final", "ga", "release", "sp",
            "x", "dev", "post", "local", "v", "",
        ])
        .prop_map(str::to_owned),
    ];
    let sign = prop::sample::select(vec![".", "-", "", "+", "~", ":", "!", "_"]);
    prop::collection::vec((part, sign), 1..6)
        .prop_map(|parts| {
            parts
                .into_iter()
                .map(|(part, sign)| part + sign)
                .collect::<String>()
        })
        .prop_map(|text| {
            text.trim_end_matches(['.', '-', '+', '~', ':', '!', '_'])
                .to_owned()
        })
}

fn triple() -> impl Strategy<Value = [String; 3]> {
    let text = || prop_oneof![8 => near_version(), 1 => any::<String>()];
    [text(), text(), text()]
}

fn check(scheme: Scheme, texts: &[String; 3]) -> Result<(), TestCaseError> {
    let versions: Vec<_> = texts
        .iter()
        .filter_map(|text| Version::parse_as(scheme, text).ok())
        .collect();
    let compare = |a: &Version, b: &Version| a.compare(b).expect("one scheme");
    for a in &versions {
        prop_assert_eq!(compare(a, a), Ordering::Equal);
        for b in &versions {
            prop_assert_eq!(compare(a, b), compare(b, a).reverse(), "{:?} {:?}", a, b);
            prop_assert_eq!(a == b, compare(a, b).is_eq(), "{:?} {:?}", a, b);
            for c in &versions {
                if compare(a, b).is_le() && compare(b, c).is_le() {
                    let strict = compare(a, b).is_lt() || compare(b, c).is_lt();
                    let wanted = if strict {
                        Ordering::Less
                    } else {
                        Ordering::Equal
                    };
                    prop_assert_eq!(compare(a, c), wanted, "{:?} {:?} {:?}", a, b, c);
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn semver_is_an_order(texts in triple()) { check(Scheme::Semver, &texts)?; }

    #[test]
    fn pep440_is_an_order(texts in triple()) { check(Scheme::Pep440, &texts)?; }

    #[test]
    fn debian_is_an_order(texts in triple()) { check(Scheme::Debian, &texts)?; }

    #[test]
    fn maven_is_an_order(texts in triple()) { check(Scheme::Maven, &texts)?; }
}
