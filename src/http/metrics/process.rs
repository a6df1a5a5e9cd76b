//! What the system says of this process: the metrics that every Prometheus client library has.
//!
//! Read at each scrape, from /proc; what is not there is missing, but for the start, which we noted ourselves.

use cognito_import_watch_core::domain::Timestamp;

use super::family::{CPU, MAX_FILES, OPEN_FILES, RESIDENT, START, THREADS, VIRTUAL};
use super::text::Text;

/// The unit of times in /proc, in parts of a second: 100 on every Linux that Rust runs on, whatever its kernel's own clock.
const TICKS: f64 = 100.0;

/// The state of this process, as far as the system says it.
pub(super) fn write(text: &mut Text, started_at: Timestamp) {
    // Not from /proc: a service manager may hide what the start is counted from there (ProcSubset=pid).
    text.single(&START, started_at);
    let read = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).ok();
    if let Some(used) = read("stat").as_deref().and_then(time) {
        text.single(&CPU, used);
    }
    if let Some(status) = read("status") {
        for (family, key, unit) in
            [(&RESIDENT, "VmRSS:", 1_024), (&VIRTUAL, "VmSize:", 1_024), (&THREADS, "Threads:", 1)]
        {
            if let Some(count) = number_after(&status, key) {
                text.single(family, count * unit);
            }
        }
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // One of them reads the directory.
        text.single(&OPEN_FILES, open.count().saturating_sub(1));
    }
    if let Some(most) = read("limits").as_deref().and_then(|limits| number_after(limits, "Max open files")) {
        text.single(&MAX_FILES, most);
    }
}

/// The processor time used, in seconds.
fn time(stat: &str) -> Option<f64> {
    // Behind the name, which may hold anything: the fields from the third on.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

/// The number behind a key at the beginning of a line.
fn number_after(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_any_name_has_its_time() {
        let stat = "4711 (a) b) (c) S 1 4711 4711 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 3 0 12345 1000 200 18446744073709551615";
        assert_eq!(time(stat), Some(2.0));
        assert_eq!(time("4711 (a"), None);
        assert_eq!(time("4711 (a) S 1"), None);
    }

    #[test]
    fn a_number_is_found_by_the_beginning_of_its_line() {
        let status = "Name:\tVmRSS:\nVmRSS:\t   10240 kB\nThreads:\t3\n";
        assert_eq!((number_after(status, "VmRSS:"), number_after(status, "Threads:")), (Some(10_240), Some(3)));
        assert_eq!(
            number_after(
                "Max open files            unlimited            unlimited            files\n",
                "Max open files"
            ),
            None
        );
        assert_eq!(number_after(status, "VmSize:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_all_of_it() {
        let mut text = Text::default();
        write(&mut text, Timestamp::from_millis(1_795_000_000_500));
        let text = text.take();
        assert!(text.contains("\nprocess_start_time_seconds 1795000000.5\n"), "{text}");
        for family in [&CPU, &START, &RESIDENT, &VIRTUAL, &THREADS, &OPEN_FILES] {
            let value = text.lines().find_map(|line| line.strip_prefix(family.name)?.strip_prefix(' '));
            let value: f64 = value.unwrap_or_else(|| panic!("no {} in {text}", family.name)).parse().unwrap();
            assert!(value.is_finite() && value >= 0.0, "{}", family.name);
        }
    }
}
