//! Which records of a source are listed as unreadable after an upload.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jobengine_domain::defaults::{REFUSALS_MAX, REFUSALS_NAMELESS_KEPT_DAYS};
use jobengine_domain::time::Timestamp;

const NAMELESS_KEPT_US: i64 = REFUSALS_NAMELESS_KEPT_DAYS as i64 * 24 * 60 * 60 * 1_000_000;

/// What an upload says of records that are not unreadable in it.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// These came and are good; of others nothing is said.
    Some(&'a [&'a str]),
    /// The same. It is all that the source has, but some record has no id that can be read: listed
    /// records without an id that did not come again are gone.
    AllButNameless(&'a [&'a str]),
    /// It is all that the source has: what did not come again is gone.
    All,
}

/// A record that is listed before the upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id, or the digest of its bytes.
    pub record: String,
    /// Whether `record` is an id.
    pub named: bool,
    /// When it came last.
    pub last_seen_at: Timestamp,
}

/// What becomes of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListChange {
    /// Records that leave it.
    pub gone: Vec<String>,
    /// How many of the upload's unreadable records come onto it, from the first on.
    pub taken: usize,
    /// How many records are not listed for want of room.
    pub dropped: usize,
}

/// Decides about the list of one source and kind. `unreadable` names the upload's unreadable records,
/// sorted and each once. Beyond [`REFUSALS_MAX`] the records that came last stay, of those that came
/// together the first by name. A record without an id also leaves when it has not come for
/// [`REFUSALS_NAMELESS_KEPT_DAYS`], because no good record of that name can ever come.
pub fn list_change(
    listed: &[Listed],
    seen: Seen<'_>,
    unreadable: &[&str],
    now: Timestamp,
) -> ListChange {
    let taken = unreadable.len().min(REFUSALS_MAX);
    let (fresh, beyond) = unreadable.split_at(taken);
    let names: BTreeSet<&str> = listed.iter().map(|it| it.record.as_str()).collect();
    let (good, sweeps_nameless, sweeps_all) = match seen {
        Seen::Some(good) => (good, false, false),
        Seen::AllButNameless(good) => (good, true, false),
        Seen::All => (&[][..], true, true),
    };
    // An upload may name far more good records than a list holds.
    let good = good.iter().copied().filter(|id| names.contains(id));
    let good: BTreeSet<&str> = good.collect();
    let kept_since = Timestamp::from_micros(now.as_micros() - NAMELESS_KEPT_US);

    let (mut gone, mut left) = (Vec::new(), Vec::new());
    for it in listed {
        let name = it.record.as_str();
        if fresh.binary_search(&name).is_ok() {
            continue;
        }
        let is_stale = !it.named && (sweeps_nameless || it.last_seen_at < kept_since);
        let has_no_room = beyond.binary_search(&name).is_ok();
        if has_no_room || sweeps_all || is_stale || good.contains(name) {
            gone.push(it.record.clone());
        } else {
            left.push((Reverse(it.last_seen_at), name));
        }
    }
    left.sort_unstable();
    let pushed_out = left.iter().skip(REFUSALS_MAX - taken);
    let dropped = beyond.len() + pushed_out.len();
    gone.extend(pushed_out.map(|(_, name)| (*name).to_owned()));
    ListChange {
        gone,
        taken,
        dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

    /// `name`, `name@days` ago; a name that begins with `sha256:` is no id.
    fn listed(texts: &[&str]) -> Vec<Listed> {
        let one = |text: &&str| {
            let (name, days) = text.split_once('@').unwrap_or((text, "0"));
            let days: i64 = days.parse().expect("days");
            Listed {
                record: name.to_owned(),
                named: !name.starts_with("sha256:"),
                last_seen_at: Timestamp::from_micros(NOW.as_micros() - days * DAY_US),
            }
        };
        texts.iter().map(one).collect()
    }

    fn check(before: &[&str], seen: Seen<'_>, unreadable: &[&str], gone: &[&str]) {
        let change = list_change(&listed(before), seen, unreadable, NOW);
        assert_eq!(change.gone, gone, "{before:?} {seen:?} {unreadable:?}");
        assert_eq!((change.taken, change.dropped), (unreadable.len(), 0));
    }

    #[test]
    fn a_record_leaves_when_it_is_good_or_gone() {
        let before = ["a", "b", "sha256:1", "sha256:2"];
        check(&before, Seen::Some(&[]), &[], &[]);
        check(&before, Seen::Some(&["a", "z"]), &["c"], &["a"]);
        check(&before, Seen::Some(&["a"]), &["a"], &[]);
        let nameless = Seen::AllButNameless(&["b"]);
        check(&before, nameless, &["sha256:2"], &["b", "sha256:1"]);
        check(&before, Seen::All, &["b"], &["a", "sha256:1", "sha256:2"]);
        check(&before, Seen::All, &[], &before);
    }

    #[test]
    fn a_nameless_record_leaves_in_time() {
        let before = ["a@31", "sha256:1@31", "sha256:2@29"];
        check(&before, Seen::Some(&[]), &[], &["sha256:1"]);
        check(&before, Seen::Some(&[]), &["sha256:1"], &[]);
    }

    #[test]
    fn beyond_the_bound_those_that_came_last_stay() {
        let names: Vec<String> = (0..REFUSALS_MAX).map(|n| format!("{n:05}")).collect();
        let mut before: Vec<String> = names.iter().map(|name| format!("{name}@1")).collect();
        before[7] = "00007@2".to_owned();
        let before: Vec<&str> = before.iter().map(String::as_str).collect();
        let change = |unreadable: &[&str]| {
            let change = list_change(&listed(&before), Seen::Some(&[]), unreadable, NOW);
            (change.gone, change.taken, change.dropped)
        };
        let gone = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(change(&["00007"]), (gone(&[]), 1, 0));
        assert_eq!(change(&["x"]), (gone(&["00007"]), 1, 1));
        assert_eq!(change(&["x", "y"]), (gone(&["00999", "00007"]), 2, 2));
        // More new ones than fit, the last of which stands already.
        let mut many: Vec<String> = (0..REFUSALS_MAX).map(|n| format!("#{n:05}")).collect();
        many.push("00003".to_owned());
        many.sort_unstable();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (gone, taken, dropped) = change(&many);
        assert_eq!((gone.len(), taken), (REFUSALS_MAX, REFUSALS_MAX));
        assert_eq!(dropped, 1 + REFUSALS_MAX - 1);
    }
}
