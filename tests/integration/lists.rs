//! Lists that stand for questions about single jobs: they tell the same, and where one fails nothing is missed.

use serde_json::Value;

use crate::faults::{CONFIG, FAULTS, SCRIPT};
use crate::harness::{Stage, events_of, fast, jobs, names, target};

#[test]
fn lists_tell_the_facts_that_questions_about_each_job_tell() {
    // Each step is shown more than once: one job may be asked about alone while a list that shows it is on its way.
    let scripts = [
        (
            "whole",
            r#"{polls = 3, status = "Created"}, {polls = 3, status = "Pending"},
               {polls = 3, status = "InProgress", imported = 20, skipped = 2, failed = 1},
               {status = "Succeeded", imported = 95, failed = 3}"#,
        ),
        ("good", r#"{polls = 3, status = "InProgress"}, {status = "Succeeded", imported = 1}"#),
        ("failed", r#"{polls = 3, status = "Pending"}, {status = "Failed", failed = 9, message = "Too many."}"#),
        ("stopped", r#"{polls = 3, status = "Stopping"}, {status = "Stopped"}"#),
        ("expired", r#"{polls = 3, status = "Created"}, {status = "Expired"}"#),
        ("unknown", r#"{polls = 3, status = "Paused"}, {status = "Succeeded"}"#),
        ("late", r#"{status = "Succeeded", imported = 1, failed = 2}"#),
    ];
    let told = ["auto", "never"].map(|batch| {
        let stage = Stage::new(&jobs(scripts));
        let arguments = ["run", "--exit-when-complete", "--log-format", "json"].map(str::to_owned);
        let run = stage.configured(&fast(batch), arguments).args(scripts.map(|(name, _)| target(name)));
        let log = run.end().with_code(10).stdout;
        let record = stage.close();
        let lists = record.iter().filter(|entry| entry["operation"] == "ListUserImportJobs").count();
        assert_eq!(lists > 0, batch == "auto", "{lists} lists");
        // What a list shows as over before anything else was seen of it is asked about once, and then told.
        let about_late = |entry: &&Value| entry["job_id"] == "import-late";
        assert_eq!(record.iter().filter(about_late).count(), 1);
        assert_eq!(names(&events_of(&log, "late")), ["job.first_seen", "job.failed_users", "job.completed"]);
        scripts.map(|(name, _)| {
            let fact = |event: Value| (event["event"].to_string(), event["event_id"].to_string());
            events_of(&log, name).into_iter().map(fact).collect::<Vec<_>>()
        })
    });
    assert_eq!(told[0], told[1]);
}

#[test]
fn whatever_a_list_meets_its_jobs_are_finished_one_by_one() {
    const JOBS_EACH: usize = 5;
    // With how many lists are asked for before the pool's is left alone: a throttle is waited for, the rest is not.
    let refused = [
        ("throttled", "{ kind = \"throttle\" }", 4),
        (
            "denied",
            "{ kind = \"error\", code = \"AccessDeniedException\", message = \"no\", message_key = \"Message\" }",
            2,
        ),
        ("invalid", "{ kind = \"error\", code = \"InvalidParameterException\", message = \"no\" }", 2),
    ];
    let faults: Vec<_> = FAULTS.into_iter().map(|(name, answer)| (name, answer, 2)).chain(refused).collect();
    let pool = |name: &str| format!("us-west-2_{}", name.to_uppercase());
    let mut scenario = "[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n".to_owned();
    for (name, answer, _) in &faults {
        scenario += &format!(
            "[[pool]]\nid = \"{0}\"\n[[pool.job]]\nid = \"import-{name}\"\ncount = {JOBS_EACH}\nscript = [{SCRIPT}]\n\
             [[fault]]\npool = \"{0}\"\noperation = \"ListUserImportJobs\"\nfirst = 2\nanswer = {answer}\n",
            pool(name)
        );
    }
    let stage = Stage::new(&scenario);
    let targets = faults.iter().flat_map(|(name, ..)| {
        let pool = pool(name);
        (1..=JOBS_EACH).map(move |number| format!("{pool}/import-{name}-{number}"))
    });
    let arguments = ["run", "--exit-when-complete", "--log-format", "json"].map(str::to_owned);
    let log = stage.configured(CONFIG, arguments).args(targets).end().with_code(0).stdout;
    let record = stage.close();
    for (name, _, lists) in faults {
        for number in 1..=JOBS_EACH {
            let told = events_of(&log, &format!("{name}-{number}"));
            assert_eq!(names(&told), ["job.first_seen", "job.status_changed", "job.completed"], "{name}");
        }
        let listed =
            |entry: &&Value| entry["operation"] == "ListUserImportJobs" && entry["user_pool_id"] == pool(name).as_str();
        assert_eq!(record.iter().filter(listed).count(), lists, "{name}");
    }
}
