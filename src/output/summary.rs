//! The result of `wait` as Markdown, for the page of a pipeline's run.
//!
//! Called by `wait` at its end, where a file for it is named. Everything that the service chose stands in a code span,
//! where neither links nor HTML, images or mentions are looked for.

use cognito_import_watch_core::domain::{JobStatus, Verdict};

use super::lost::LostPool;
use super::report::JobReport;
use super::wait::{WaitResult, words};
use crate::sink::phrase::NOT_STARTED;
use crate::text::{duration, error_of, one_line};

/// The most bytes of the rows: GitHub shows a mebibyte for a step, to which a step that tries again appends more.
const MOST_BYTES: usize = 256 * 1024;

const HEAD: &str = "\
| Job | Name | Status | Verdict | Imported | Skipped | Failed | Took | Details |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
";

/// A heading with the verdict, and a table with a row for each job: those that did not succeed first, and no more of
/// the others than a page can show.
#[must_use]
pub fn markdown(result: &WaitResult) -> String {
    let mut text = format!(
        "## Cognito user import: {}\n\nExit code {} after {}, {} poll{}.\n",
        words(Some(result.verdict)),
        result.exit_code,
        duration(result.elapsed),
        result.polls,
        if result.polls == 1 { "" } else { "s" },
    );
    let (well, ill): (Vec<_>, Vec<_>) =
        result.jobs.iter().partition(|job: &&JobReport| job.verdict == Some(Verdict::Succeeded));
    let rows = result.lost_pools.iter().map(pool_row).chain(ill.into_iter().chain(well).map(job_row));
    let (mut table, mut left_out) = (String::new(), 0_usize);
    for row in rows {
        if left_out == 0 && table.len() + row.len() <= MOST_BYTES {
            table.push_str(&row);
        } else {
            left_out += 1;
        }
    }
    if !table.is_empty() {
        text.push_str(&format!("\n{HEAD}{table}"));
    }
    if left_out > 0 {
        text.push_str(&format!("\n{left_out} more are not shown.\n"));
    }
    text
}

fn job_row(job: &JobReport) -> String {
    let seen = job.snapshot.as_ref();
    let status = match seen.map(|seen| &seen.status) {
        Some(JobStatus::Unrecognized(word)) => code(&one_line(word)),
        Some(status) => status.as_str().to_owned(),
        None => "-".to_owned(),
    };
    let [imported, skipped, failed] = job.count_cells();
    let took = job.elapsed().map(duration).unwrap_or_default();
    let message = seen.and_then(|seen| seen.completion_message.as_deref());
    let details = match (&job.error, message) {
        (Some(error), _) => code(&error_of(&error.message, &job.job.target.to_string())),
        (None, Some(message)) => code(&one_line(message)),
        (None, None) if seen.is_some_and(|seen| seen.status == JobStatus::Created) => NOT_STARTED.to_owned(),
        (None, None) => String::new(),
    };
    row([
        code(&job.job.target.to_string()),
        code(&job.name_cell()),
        status,
        words(job.verdict),
        imported,
        skipped,
        failed,
        took,
        details,
    ])
}

fn pool_row(lost: &LostPool) -> String {
    let unknown = || "-".to_owned();
    row([
        code(lost.pool.as_str()),
        "the jobs of the pool".to_owned(),
        unknown(),
        words(Some(lost.verdict)),
        unknown(),
        unknown(),
        unknown(),
        String::new(),
        code(&lost.why()),
    ])
}

fn row(cells: [String; 9]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// Text in one line as a code span of a table's cell: its fence is longer than any run of backticks in it. A bar is
/// written `\|`, as tables want it; where a backslash stood before it, that one is spelled out.
fn code(line: &str) -> String {
    if line.is_empty() {
        return String::new();
    }
    let text = line.replace("\\|", "\\u{5c}|").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let is_edge = |c: char| c == '`' || c == ' ';
    let pad = if text.starts_with(is_edge) || text.ends_with(is_edge) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;
    use crate::output::results::{full, sample, unseen, waited};

    /// What a reader of the page sees: the cells of the table, and that there is nothing in it but plain and fixed text.
    fn cells(markdown: &str) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for event in Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
            match event {
                Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
                Event::Start(Tag::TableCell) => rows.last_mut().unwrap().push(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                        cell.push_str(&text);
                    }
                }
                Event::Start(Tag::Heading { .. } | Tag::Paragraph | Tag::Table(_)) | Event::End(_) => {}
                other => panic!("{other:?} in\n{markdown}"),
            }
        }
        rows
    }

    #[test]
    fn the_summary_shows_what_decided_and_every_job_with_those_that_did_not_succeed_first() {
        assert_eq!(
            markdown(&waited(vec![full("nightly customers"), sample(), unseen()])),
            "\
## Cognito user import: too many failed users

Exit code 13 after 12s, 7 polls.

| Job | Name | Status | Verdict | Imported | Skipped | Failed | Took | Details |
| --- | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
| `us-west-2_EXAMPLE/import-mAgUtd8PMm` | `Test-import100` | Succeeded | too many failed users | 99 | 0 | 1 |  |  |
| `us-west-2_EXAMPLE/import-mAgUtd8PMm` |  | - | access denied | - | - | - |  | `no credentials were found; set AWS_PROFILE` |
| `us-west-2_EXAMPLE/import-mAgUtd8PMm` | `nightly customers` | Succeeded | succeeded | 500000 | 12 | 0 | 1.3s | `Import Job Completed Successfully.` |
"
        );
    }

    #[test]
    fn a_summary_of_many_jobs_stays_short_enough_for_a_page_and_says_what_is_left_out() {
        let mut jobs = vec![full("nightly customers"); 5_000];
        jobs.push(sample());
        let text = markdown(&waited(jobs));
        assert!(text.len() < MOST_BYTES + 1_024, "{}", text.len());
        let left_out: usize = text.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap();
        assert_eq!(cells(&text).len() - 1 + left_out, 5_001);
        assert!(text.contains("Test-import100"), "what did not succeed is never left out before what did");
    }

    #[test]
    fn a_fence_holds_what_would_break_out_of_it() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a|b"), r"`a\|b`");
        assert_eq!(code(r"a\|b\\|c"), r"`a\u{5c}\|b\\u{5c}\|c`");
        assert_eq!(code(""), "");
    }

    proptest! {
        #[test]
        fn whatever_the_service_says_is_seen_as_plain_text_in_its_cell(
            text in "([|`\\\\<>&!@#*_~$\\[\\]()\n\r\u{202e} -]|https://|<img src=x>|@team|\\PC){0,24}"
        ) {
            let mut job = full(&text);
            if let Some(seen) = &mut job.snapshot {
                seen.status = JobStatus::Unrecognized(text.as_str().into());
                seen.completion_message = Some(text.as_str().into());
            }
            let shown = cells(&markdown(&waited(vec![job])));
            prop_assert_eq!(shown.len(), 2);
            prop_assert_eq!(shown[1].len(), 9);
            let wanted = one_line(&text).replace("\\|", "\\u{5c}|");
            for cell in [1, 2, 8] {
                prop_assert_eq!(shown[1][cell].trim(), wanted.trim(), "cell {}", cell);
            }
        }
    }
}
