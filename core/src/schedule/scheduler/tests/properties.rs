//! A scheduler against any service and any seed.

use proptest::prelude::*;

use super::*;

/// A made-up service: each job moves along its order at its own times; some answers fail, some are slow.
fn made_up_service(seed: u64, bad: f64) -> Service {
    let mut random = fastrand::Rng::with_seed(seed);
    Box::new(move |question, now| {
        let takes = Duration::from_millis(random.u64(1..400));
        if random.f64() < bad {
            let kinds = [ErrorKind::Throttled, ErrorKind::Transient, ErrorKind::NotFound, ErrorKind::Denied];
            return (failed(kinds[random.usize(0..kinds.len())]), takes);
        }
        let Question::Describe(target) = question else { panic!("no pool is watched") };
        let pace = 5 + target.job.as_str().bytes().map(u64::from).sum::<u64>() % 40;
        let order = ["Created", "Pending", "InProgress", "Succeeded"];
        let step = usize::try_from(now.as_secs() / pace).unwrap().min(3);
        (PollResult::Job(shown(order[step], now.as_secs() / pace), None), takes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Against any service and seed: each job ends once, with what it showed; the ceilings hold in every window;
    /// no poll overlaps another of the same job (held by `World`).
    #[test]
    fn every_job_ends_once_and_the_ceilings_hold(
        seed in any::<u64>(), jobs in 1_usize..40, pools in 1_usize..5, lanes in 1_usize..3, bad in 0.0_f64..0.6
    ) {
        let mut settings = settings(Ending::WhenStopped);
        settings.seed = seed;
        settings.backoff = BackoffPolicy::default();
        let mut world = World::new(settings, made_up_service(seed, bad));
        for number in 0..jobs {
            let pool = number % pools;
            world.watch_with(&format!("us-west-2_{pool}/import-{number}"), pool % lanes, |_| {});
        }
        world.run(7_200 * SECOND);
        for number in 0..jobs {
            let id = format!("import-{number}");
            let told = world.events.iter().filter(|(_, event)| event.job.target.job.as_str() == id);
            let ends = told.filter(|(_, event)| event.fact.name() == "job.completed").count();
            prop_assert_eq!(ends, 1, "{} ended {} times", id, ends);
        }
        let lane_of = |question: &Question| match question {
            Question::Describe(target) => target.pool.as_str()["us-west-2_".len()..].parse::<usize>().unwrap() % lanes,
            Question::List { .. } => 0,
        };
        for lane in 0..lanes {
            let sent: Vec<f64> = world
                .sent
                .iter()
                .filter(|(_, question)| lane_of(question) == lane)
                .map(|(at, _)| at.as_secs_f64())
                .collect();
            for (first, from) in sent.iter().enumerate() {
                for (more, to) in sent[first..].iter().enumerate().take(200) {
                    prop_assert!(more as f64 <= 5.0 * (to - from) + 1e-6);
                }
            }
        }
    }

    /// Two runs of the same seed are the same run.
    #[test]
    fn a_seed_replays(seed in any::<u64>()) {
        let run = || {
            let mut world = World::new(settings(when_over()), made_up_service(seed, 0.3));
            for number in 0..10 {
                world.watch(&format!("us-west-2_A/import-{number}"));
            }
            world.run(1_000 * SECOND);
            (world.seconds(), world.names())
        };
        prop_assert_eq!(run(), run());
    }
}
