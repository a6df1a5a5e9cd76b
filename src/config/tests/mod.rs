//! The room as a whole: texts and flags in, plans and diagnostics out.

mod any_input;
mod costs;
mod documents;
mod fixtures;
mod layers;
mod plans;
mod policies;

use super::*;

fn source(text: &str) -> Source {
    Source::new("test.toml", text)
}

/// The plan of a text that is right.
fn plan(text: &str) -> Plan {
    plan_with(text, &Overrides::default())
}

fn plan_with(text: &str, overrides: &Overrides) -> Plan {
    resolve(&[source(text)], overrides).unwrap_or_else(|problems| panic!("{}", problems.render(Style::Plain)))
}

/// What is said of a text that is wrong, a line per problem.
fn problems(text: &str) -> Vec<String> {
    problems_with(text, &Overrides::default())
}

fn problems_with(text: &str, overrides: &Overrides) -> Vec<String> {
    let problems = resolve(&[source(text)], overrides).expect_err("the text is accepted");
    problems.iter().map(ToString::to_string).collect()
}
