use std::collections::BTreeSet;

use super::*;

/// Series that a metric with closed labels shows at the start.
const SERIES_MAX: usize = 128;

#[test]
fn every_row_is_well_formed() {
    let mut names = BTreeSet::new();
    for metric in all() {
        let Metric {
            name,
            kind,
            labels,
            help,
        } = *metric;
        assert!(names.insert(name), "{name} stands twice");
        let sound = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        assert!(sound(name) && !name.ends_with('_'), "{name}");
        let ours = name.starts_with("jobengine_") || name.starts_with("scheduler_");
        assert!(ours, "{name} has no owner in its name");
        assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
        assert_eq!(
            name.ends_with("_seconds"),
            kind.unit() == Unit::Seconds,
            "{name}"
        );
        assert!(!help.is_empty() && !help.ends_with('.'), "{name}: {help}");
        assert!(
            help.is_ascii() && !help.contains(['|', '\n']),
            "{name}: {help}"
        );
        let distinct: BTreeSet<_> = labels.iter().map(|label| label.name).collect();
        assert_eq!(distinct.len(), labels.len(), "{name}");
        assert!(
            labels
                .iter()
                .all(|label| sound(label.name) && label.name != "le"),
            "{name}"
        );
        if let Kind::Histogram { bounds, .. } = kind {
            assert!(bounds.is_sorted_by(|a, b| a < b) && bounds[0] > 0, "{name}");
        }
        let series: usize = labels
            .iter()
            .map(|label| match label.values {
                Values::Closed(values) => values.len(),
                Values::Open(_) => 1,
            })
            .product();
        assert!(series <= SERIES_MAX, "{name} has {series} series");
    }
}

#[test]
fn the_eleven_of_the_scheduler_are_named_as_dashboards_know_them() {
    let named: Vec<String> = scheduler::ROWS
        .iter()
        .map(|metric| {
            let labels: Vec<_> = metric.labels.iter().map(|label| label.name).collect();
            format!("{}{{{}}}", metric.name, labels.join(","))
        })
        .collect();
    assert_eq!(
        named,
        [
            "scheduler_planner_runs_total{mode,status}",
            "scheduler_planner_latency_seconds{mode,status}",
            "scheduler_runner_segments_total{mode,status}",
            "scheduler_runner_images_total{mode,delta}",
            "scheduler_runner_delta_total{mode}",
            "scheduler_runner_delta_critical_total{mode}",
            "scheduler_runner_delta_high_total{mode}",
            "scheduler_runner_delta_kev_total{mode}",
            "scheduler_run_duration_seconds{mode,result}",
            "scheduler_runs_active{mode}",
            "scheduler_runner_backlog{mode,scheduleId}",
        ]
    );
}

#[test]
fn the_page_shows_every_metric() {
    let page = markdown();
    for metric in all() {
        assert!(
            page.contains(&format!("| `{}` |", metric.name)),
            "{}",
            metric.name
        );
    }
}
