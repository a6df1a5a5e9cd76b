//! The scenarios that most tests use: one pool, scripted jobs, no quota in the way.

/// The account of [`POOL`].
pub(crate) const ACCOUNT: &str = "123456789012";

/// The pool that [`jobs`] makes.
pub(crate) const POOL: &str = "us-west-2_EXAMPLE";

/// A config whose polls follow each other quickly; more tables may be put behind it.
pub(crate) const FAST: &str = "\
[poll]
initial_interval = \"20ms\"
max_interval = \"50ms\"
[throttle]
requests_per_second = 10000
requests_per_second_per_pool = 10000
";

/// [`FAST`], with or without lists.
pub(crate) fn fast(batch: &str) -> String {
    FAST.replace("[throttle]", &format!("batch = \"{batch}\"\n[throttle]"))
}

const NO_QUOTAS: &str = "[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n";

/// A scenario with one pool and these jobs: the end of the id, which is the name too, and the steps of the script.
/// More tables may be put behind it.
pub(crate) fn jobs<'a>(jobs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let job =
        |(name, script)| format!("[[pool.job]]\nid = \"import-{name}\"\nname = \"{name}\"\nscript = [\n{script}\n]\n");
    let jobs: String = jobs.into_iter().map(job).collect();
    format!("{NO_QUOTAS}[[pool]]\nid = \"{POOL}\"\naccount = \"{ACCOUNT}\"\n{jobs}")
}

/// A job of [`jobs`] as it is typed.
pub(crate) fn target(name: &str) -> String {
    format!("{POOL}/import-{name}")
}
