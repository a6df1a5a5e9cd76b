//! The result of `wait` as JUnit XML, which GitLab, Jenkins and the reporters of GitHub read.
//!
//! Called by `wait` at its end, where a file for it is named. Text of the service is in one line, where no character is
//! left that XML cannot hold.

use std::io;
use std::time::Duration;

use cognito_import_watch_core::domain::{Counts, Timestamp, Verdict};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::lost::LostPool;
use super::report::JobReport;
use super::wait::{WaitResult, words};
use crate::text::{error_of, one_line};

/// The name of the suite, and of the case that stands for the command itself.
const SUITE: &str = "cognito-import-watch";

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Passed,
    /// The job was seen to end otherwise than it should.
    Failure,
    /// How the job ends was not seen.
    Error,
}

impl Outcome {
    fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Succeeded) => Self::Passed,
            Some(
                Verdict::Failed
                | Verdict::Stopped
                | Verdict::Expired
                | Verdict::TooManyFailedUsers
                | Verdict::TooManySkippedUsers,
            ) => Self::Failure,
            Some(
                Verdict::NotFound
                | Verdict::Unobservable
                | Verdict::AccessDenied
                | Verdict::Invalid
                | Verdict::DeadlineExceeded
                | Verdict::Interrupted,
            )
            | None => Self::Error,
        }
    }

    fn element(self) -> Option<&'static str> {
        match self {
            Self::Passed => None,
            Self::Failure => Some("failure"),
            Self::Error => Some("error"),
        }
    }
}

/// A testcase.
struct Case {
    /// The pool: reporters group by it.
    class: String,
    name: String,
    time: Duration,
    verdict: Option<Verdict>,
    /// What there is to say of it in one line, beside the verdict.
    message: String,
    /// What is known of it, a line each.
    known: Vec<(&'static str, String)>,
}

/// One suite with a case for each job, and for each pool whose jobs could not be found. A result that is not good has at
/// least one case that says so.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn xml(result: &WaitResult, ended_at: Timestamp) -> io::Result<String> {
    let jobs = result.jobs.iter().map(|job| job_case(job, result.elapsed));
    let pools = result.lost_pools.iter().map(|lost| pool_case(lost, result.elapsed));
    let mut cases: Vec<Case> = jobs.chain(pools).collect();
    let is_told = cases.iter().any(|case| Outcome::of(case.verdict) != Outcome::Passed);
    if result.verdict != Verdict::Succeeded && !is_told {
        cases.push(Case {
            class: SUITE.to_owned(),
            name: "wait".to_owned(),
            time: result.elapsed,
            verdict: Some(result.verdict),
            message: "before the jobs were found".to_owned(),
            known: Vec::new(),
        });
    }
    let count = |outcome| cases.iter().filter(|case| Outcome::of(case.verdict) == outcome).count().to_string();
    let totals = [
        ("name", SUITE.to_owned()),
        ("tests", cases.len().to_string()),
        ("failures", count(Outcome::Failure)),
        ("errors", count(Outcome::Error)),
        ("skipped", "0".to_owned()),
        ("time", seconds(result.elapsed)),
    ];
    let totals = || totals.iter().map(|(key, value)| (*key, value.as_str()));
    // Without fraction and zone, as the reporters' schemas want it; it is UTC.
    let begun: String = ended_at.minus(result.elapsed).to_string().chars().take(19).collect();
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.create_element("testsuites").with_attributes(totals()).write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attributes(totals());
        suite
            .with_attribute(("timestamp", begun.as_str()))
            .write_inner_content(|writer| cases.iter().try_for_each(|case| case.write(writer)))?;
        Ok(())
    })?;
    Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned() + "\n")
}

impl Case {
    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let time = seconds(self.time);
        let attributes = [("classname", self.class.as_str()), ("name", &self.name), ("time", &time)];
        let out: String = self.known.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        writer.create_element("testcase").with_attributes(attributes).write_inner_content(|writer| {
            if let Some(element) = Outcome::of(self.verdict).element() {
                let (kind, words) = (self.verdict.map_or("unknown", Verdict::as_str), words(self.verdict));
                let message = if self.message.is_empty() { words } else { format!("{words}: {}", self.message) };
                let element = writer.create_element(element).with_attributes([("type", kind), ("message", &message)]);
                element.write_text_content(BytesText::new(&message))?;
            }
            writer.create_element("system-out").write_text_content(BytesText::new(&out))?;
            Ok(())
        })?;
        Ok(())
    }
}

fn job_case(job: &JobReport, waited: Duration) -> Case {
    let target = &job.job.target;
    let name = job.name_cell();
    let seen = job.snapshot.as_ref();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let count = |count: fn(Counts) -> u64| seen.map(|seen| count(seen.counts).to_string());
    let said = seen.and_then(|seen| seen.completion_message.as_deref()).map(one_line);
    let error = job.error.as_ref().map(|error| error_of(&error.message, &target.to_string()));
    let known = [
        ("user_pool_id", Some(target.pool.as_str().to_owned())),
        ("job_id", Some(target.job.as_str().to_owned())),
        ("name", job.job.display_name().map(one_line)),
        ("status", seen.map(|seen| one_line(seen.status.as_str()))),
        ("verdict", job.verdict.map(|verdict| verdict.as_str().to_owned())),
        ("imported_users", count(|counts| counts.imported)),
        ("skipped_users", count(|counts| counts.skipped)),
        ("failed_users", count(|counts| counts.failed)),
        ("created_at", time(seen.and_then(|seen| seen.created_at))),
        ("started_at", time(seen.and_then(|seen| seen.started_at))),
        ("completed_at", time(seen.and_then(|seen| seen.completed_at))),
        ("completion_message", said.clone()),
        ("observed_at", time(job.observed_at)),
        ("error", error.clone()),
    ];
    let [imported, skipped, failed] = job.count_cells();
    let counts = seen.map(|_| format!("{imported} imported, {skipped} skipped, {failed} failed"));
    let message: Vec<String> = counts.into_iter().chain(error.or(said)).collect();
    Case {
        class: target.pool.as_str().to_owned(),
        name: if name.is_empty() {
            target.job.as_str().to_owned()
        } else {
            format!("{name} ({})", target.job.as_str())
        },
        time: job.elapsed().unwrap_or(waited),
        verdict: job.verdict,
        message: message.join("; "),
        known: known.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
    }
}

fn pool_case(lost: &LostPool, waited: Duration) -> Case {
    Case {
        class: lost.pool.as_str().to_owned(),
        name: "the jobs of the pool".to_owned(),
        time: waited,
        verdict: Some(lost.verdict),
        message: lost.why(),
        known: vec![("user_pool_id", lost.pool.as_str().to_owned())],
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;

    use super::*;
    use crate::output::results::{full, sample, unseen, waited};
    use crate::sink::samples::NOW;

    #[test]
    fn each_job_is_a_case_and_how_it_ended_tells_a_failure_from_an_error() {
        assert_eq!(
            xml(&waited(vec![sample(), full("nightly <customers> & \"more\""), unseen()]), NOW).unwrap(),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="cognito-import-watch" tests="3" failures="1" errors="1" skipped="0" time="12.300">
  <testsuite name="cognito-import-watch" tests="3" failures="1" errors="1" skipped="0" time="12.300" timestamp="2026-11-22T17:03:09">
    <testcase classname="us-west-2_EXAMPLE" name="Test-import100 (import-mAgUtd8PMm)" time="12.300">
      <failure type="too_many_failed_users" message="too many failed users: 99 imported, 0 skipped, 1 failed">too many failed users: 99 imported, 0 skipped, 1 failed</failure>
      <system-out>user_pool_id: us-west-2_EXAMPLE
job_id: import-mAgUtd8PMm
name: Test-import100
status: Succeeded
verdict: too_many_failed_users
imported_users: 99
skipped_users: 0
failed_users: 1
observed_at: 2026-11-22T17:03:22.123Z
</system-out>
    </testcase>
    <testcase classname="us-west-2_EXAMPLE" name="nightly &lt;customers&gt; &amp; &quot;more&quot; (import-mAgUtd8PMm)" time="1.300">
      <system-out>user_pool_id: us-west-2_EXAMPLE
job_id: import-mAgUtd8PMm
name: nightly &lt;customers&gt; &amp; &quot;more&quot;
status: Succeeded
verdict: succeeded
imported_users: 500000
skipped_users: 12
failed_users: 0
created_at: 2026-11-22T17:02:22.123Z
started_at: 2026-11-22T17:03:20.823Z
completed_at: 2026-11-22T17:03:22.123Z
completion_message: Import Job Completed Successfully.
observed_at: 2026-11-22T17:03:22.123Z
</system-out>
    </testcase>
    <testcase classname="us-west-2_EXAMPLE" name="import-mAgUtd8PMm" time="12.300">
      <error type="access_denied" message="access denied: no credentials were found; set AWS_PROFILE">access denied: no credentials were found; set AWS_PROFILE</error>
      <system-out>user_pool_id: us-west-2_EXAMPLE
job_id: import-mAgUtd8PMm
verdict: access_denied
error: no credentials were found; set AWS_PROFILE
</system-out>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }

    #[test]
    fn an_end_that_was_seen_is_a_failure_and_one_that_was_not_is_an_error() {
        let told = |verdicts: &[Verdict]| -> Vec<Option<&str>> {
            verdicts.iter().map(|verdict| Outcome::of(Some(*verdict)).element()).collect()
        };
        assert_eq!(told(&[Verdict::Succeeded]), [None]);
        let failures = [
            Verdict::Failed,
            Verdict::Stopped,
            Verdict::Expired,
            Verdict::TooManyFailedUsers,
            Verdict::TooManySkippedUsers,
        ];
        assert_eq!(told(&failures), [Some("failure"); 5]);
        let errors = [
            Verdict::NotFound,
            Verdict::Unobservable,
            Verdict::AccessDenied,
            Verdict::Invalid,
            Verdict::DeadlineExceeded,
            Verdict::Interrupted,
        ];
        assert_eq!(told(&errors), [Some("error"); 6]);
        assert_eq!(Outcome::of(None).element(), Some("error"));
    }

    #[test]
    fn a_result_that_is_not_good_is_never_a_report_without_an_error() {
        let interrupted = WaitResult { verdict: Verdict::Interrupted, ..waited(Vec::new()) };
        assert!(xml(&interrupted, NOW).unwrap().contains(r#"tests="1" failures="0" errors="1""#));
        let nothing = WaitResult { verdict: Verdict::Succeeded, ..waited(Vec::new()) };
        assert!(xml(&nothing, NOW).unwrap().contains(r#"tests="0" failures="0" errors="0""#));
        let error = cognito_import_watch_core::domain::PollError::new(
            cognito_import_watch_core::domain::ErrorKind::Denied,
            "a_B in a: no",
        );
        let lost = LostPool { pool: "a_B".parse().unwrap(), verdict: Verdict::AccessDenied, error: Some(error) };
        let text = xml(&WaitResult { lost_pools: vec![lost], ..waited(Vec::new()) }, NOW).unwrap();
        assert!(text.contains(r#"tests="1" failures="0" errors="1""#) && text.contains("access denied: no"), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_the_service_says_is_read_back_as_one_line_of_it(text in any::<String>()) {
            let mut job = full(&text);
            job.verdict = Some(Verdict::Failed);
            if let Some(seen) = &mut job.snapshot {
                seen.completion_message = Some(text.as_str().into());
            }
            let xml = xml(&waited(vec![job]), NOW).unwrap();
            let is_legal = |c: char| matches!(c, '\n' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
            prop_assert!(xml.chars().all(is_legal));
            let mut reader = Reader::from_str(&xml);
            let (mut cases, mut said) = (0, String::new());
            loop {
                match reader.read_event().unwrap() {
                    Event::Start(element) if element.name().as_ref() == "testcase" => cases += 1,
                    Event::Text(part) => said.push_str(&part),
                    Event::GeneralRef(part) => {
                        let name = format!("&{};", &*part);
                        said.push_str(&quick_xml::escape::unescape(&name).unwrap());
                    }
                    Event::Eof => break,
                    _ => {}
                }
            }
            prop_assert_eq!(cases, 1);
            let line = format!("\ncompletion_message: {}\n", one_line(&text));
            prop_assert!(said.contains(&line), "{:?} is not in {}", line, said);
        }
    }
}
