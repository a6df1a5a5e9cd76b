//! The request ceilings, at the far end: what counts is when the requests arrived, by the simulator's own record.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::{Stage, shown, target};

/// Jobs that never end, in several pools, and no quota in the way.
fn scenario(pools: usize, jobs_each: usize) -> String {
    let pool = |number: usize| {
        format!(
            "[[pool]]\nid = \"us-west-2_POOL{number}\"\n[[pool.job]]\nid = \"import-j\"\ncount = {jobs_each}\n\
             script = [{{status = \"InProgress\"}}]\n"
        )
    };
    let pools: String = (0..pools).map(pool).collect();
    format!("[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n{pools}")
}

fn targets(pools: usize, jobs_each: usize) -> Vec<String> {
    let of_pool = |pool| (1..=jobs_each).map(move |job| format!("us-west-2_POOL{pool}/import-j-{job}"));
    (0..pools).flat_map(of_pool).collect()
}

/// When the requests arrived, in seconds, the earliest first.
pub(crate) fn arrivals<'a>(record: impl IntoIterator<Item = &'a Value>) -> Vec<f64> {
    let mut at: Vec<f64> = record.into_iter().map(|entry| entry["at"].as_f64().unwrap()).collect();
    at.sort_by(f64::total_cmp);
    at
}

/// Any window of T seconds holds at most rate × T + 1 requests: checked of every window that begins and ends with a
/// request, for those are the fullest.
#[track_caller]
pub(crate) fn assert_within(rate: f64, at: &[f64], what: &str) {
    for (first, begin) in at.iter().enumerate() {
        for (last, end) in at.iter().enumerate().skip(first + 1) {
            let (count, most) = ((last - first + 1) as f64, rate * (end - begin) + 1.0);
            assert!(
                count <= most,
                "{what}: {count} requests within {:.1} ms, where {most:.3} may be: {:?}",
                (end - begin) * 1e3,
                &at[first..=last]
            );
        }
    }
}

fn by<'a>(record: &'a [Value], keys: &[&str]) -> BTreeMap<Vec<&'a str>, Vec<&'a Value>> {
    let mut groups: BTreeMap<Vec<&str>, Vec<&Value>> = BTreeMap::new();
    for entry in record {
        groups.entry(keys.iter().map(|key| entry[*key].as_str().unwrap()).collect()).or_default().push(entry);
    }
    groups
}

/// Runs the daemon on jobs that want far more than they may have, until it has sent so many requests.
fn flood(pools: usize, jobs_each: usize, config: &str, requests: usize) -> Vec<Value> {
    let stage = Stage::new(&scenario(pools, jobs_each));
    let config = format!("[poll]\ninitial_interval = \"50ms\"\nmax_interval = \"50ms\"\n{config}");
    let run = stage.configured(&config, ["run"]).args(targets(pools, jobs_each)).start();
    stage.asked(requests);
    run.signal("TERM");
    run.end().with_code(0);
    stage.close()
}

#[test]
fn no_window_holds_more_requests_than_the_configured_rates_allow() {
    const RATES: &str = "[throttle]\nrequests_per_second = 20\nrequests_per_second_per_pool = 8\n";
    for (batch, operation) in [("auto", "ListUserImportJobs"), ("never", "DescribeUserImportJob")] {
        let record = flood(4, 10, &format!("batch = \"{batch}\"\n{RATES}"), 100);
        assert_within(20.0, &arrivals(&record), "lane");
        let pools = by(&record, &["user_pool_id"]);
        assert_eq!(pools.len(), 4);
        for (pool, entries) in pools {
            assert_within(8.0, &arrivals(entries), pool[0]);
        }
        let asked = record.iter().filter(|entry| entry["operation"] == operation).count();
        assert!(asked > 90, "{asked} of {}: {operation}", record.len());
        // And none is starved: the 40 jobs take turns, one by one or a pool at a time.
        let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (answer, job) in shown(&record) {
            let job = (answer["user_pool_id"].as_str().unwrap(), job["job_id"].as_str().unwrap());
            *seen.entry(job).or_default() += 1;
        }
        let turns: Vec<usize> = seen.into_values().collect();
        assert_eq!(turns.len(), 40);
        assert!(turns.iter().max().unwrap() - turns.iter().min().unwrap() <= 1, "{batch}: {turns:?}");
    }
}

#[test]
fn no_window_holds_more_requests_than_the_default_rates_allow() {
    let record = flood(3, 4, "", 20);
    assert_within(5.0, &arrivals(&record), "lane");
    for (pool, entries) in by(&record, &["user_pool_id"]) {
        assert_within(2.0, &arrivals(entries), pool[0]);
    }
}

#[test]
fn one_pool_has_its_own_ceiling_below_that_of_the_lane() {
    let record = flood(1, 10, "[throttle]\nrequests_per_second = 1000\nrequests_per_second_per_pool = 10\n", 25);
    assert_within(10.0, &arrivals(&record), "pool");
}

#[test]
fn two_polls_of_one_job_never_overlap() {
    // Every third answer is so late that the next poll would have been due long ago.
    let late = "[[fault]]\nratio = 0.33\nanswer = { kind = \"delay\", for = \"200ms\" }\n";
    let scenario =
        crate::harness::jobs([("a", r#"{status = "InProgress"}"#), ("b", r#"{status = "InProgress"}"#)]) + late;
    let stage = Stage::new(&scenario);
    let config = "[poll]\ninitial_interval = \"20ms\"\nmax_interval = \"20ms\"\n[throttle]\nrequests_per_second = 1000\nrequests_per_second_per_pool = 1000\n";
    let run = stage.configured(config, ["run", &target("a"), &target("b")]).start();
    stage.asked(60);
    run.signal("TERM");
    run.end().with_code(0);
    let record = stage.close();
    // A line is written when its answer has gone out: so between two arrivals for one job its earlier line was written.
    for (job, _) in by(&record, &["job_id"]) {
        let mut open: Option<f64> = None;
        let lines: Vec<&Value> = record.iter().filter(|entry| entry["job_id"] == job[0]).collect();
        for entry in &lines {
            let at = entry["at"].as_f64().unwrap();
            assert!(open.is_none_or(|before| before < at), "answered out of order: {at} after {open:?}");
            open = Some(at);
        }
        let late: BTreeSet<bool> = lines.iter().map(|entry| entry["fault"].is_string()).collect();
        assert_eq!(late.len(), 2, "some were late and some were not");
        for pair in lines.windows(2).filter(|pair| pair[0]["fault"].is_string()) {
            let gap = pair[1]["at"].as_f64().unwrap() - pair[0]["at"].as_f64().unwrap();
            assert!(gap >= 0.2, "asked again {gap} s after a question that was answered 0.2 s later");
        }
    }
}
