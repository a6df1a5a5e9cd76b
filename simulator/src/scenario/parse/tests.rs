//! What is refused, and where the error points.

use super::Scenario;

fn told(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

#[test]
fn an_error_tells_line_column_and_key() {
    let text = "[jobs]\npending = \"1s\"\nrows_per_second = -3\n";
    assert_eq!(told(text), "line 3, column 19, at `rows_per_second`: `-3` is not between 0.001 and 1e9");
    let error = Scenario::parse("[clock]\nspeeed = 3").unwrap_err();
    assert_eq!((error.line, error.column, error.key.as_str()), (2, 1, "speeed"));
    assert!(error.message.starts_with("unknown field `speeed`, expected one of"), "{error}");
}

#[test]
fn each_value_is_checked_where_it_stands() {
    let cases = [
        ("[[pool]]\nid = \"nowhere\"", "line 2, column 6, at `id`: `nowhere` is not a pool id"),
        ("[[account]]\nid = \"12\"", "line 2, column 6, at `id`: `12` is not an account of twelve digits"),
        ("[[pool]]\n[[pool.job]]\nid = \"x\"", "line 3, column 6, at `id`: `x` is not a job id"),
        ("[jobs]\ntoo_many = 1.5", "line 2, column 12, at `too_many`: `1.5` is not between 0 and 1"),
        ("[jobs]\nstopping = \"5\"", "line 2, column 12, at `stopping`: `5` is not a duration such as \"30s\""),
        ("[csv]\nlong_row = \"explode\"", "line 2, column 12, at `long_row`: unknown variant `explode`"),
        ("[[fault]]\nanswer = {kind = \"explode\"}", "line 2, column 18, at `answer`: unknown variant `explode`"),
        ("[[fault]]\nanswer = {kind = \"gateway\"}", "line 2, column 10, at `answer`: missing field `status`"),
        ("[[fault]]\nanswer = {kind = \"reset\", x = 1}", "line 2, column 10, at `answer`: unknown field `x`"),
        ("a = ", "line 1, column 5, at `a`:"),
    ];
    for (text, start) in cases {
        assert!(told(text).starts_with(start), "{text}\n{}", told(text));
    }
}

#[test]
fn order_and_repetition_are_checked_too() {
    let fault = |keys: &str| format!("[[fault]]\n{keys}\nanswer = {{kind = \"reset\"}}");
    let script = |steps: &str| format!("[[pool]]\n[[pool.job]]\nscript = [{steps}]");
    let cases = [
        ("[[pool]]\nid = \"a_b\"\n[[pool]]\nid = \"a_b\"".into(), "line 3", "pool a_b is given twice"),
        ("[[pool]]\nid = \"a_b\"\nregion = \"a\"".into(), "line 1", "drop `region` or `id`"),
        ("[[pool]]\n[[pool.job]]\nid=\"import-a\"\n[[pool.job]]\nid=\"import-a\"".into(), "line 4", "given twice"),
        (fault("from = \"5s\"\nto = \"5s\""), "line 1", "`to` must be later than `from`"),
        (fault("first = 5\nlast = 4"), "line 1", "`last` must not be before `first`"),
        (script(""), "line 2", "a script needs at least one step"),
        (script("{}, {}"), "line 2", "only the last may be so"),
        (script("{polls = 1}"), "line 2", "the last step stays"),
        (script("{polls = 0}, {}"), "line 2", "at least 1"),
        ("[[pool]]\n[[pool.job]]\n[[pool.job]]\ncount = 100_000".into(), "line 3", "more than 100000 jobs"),
        ("[[pool]]\n[[pool.job]]\ncount = 4_000_000_000".into(), "line 2", "more than 100000 jobs"),
    ];
    for (text, place, message) in cases {
        let told = told(&text);
        assert!(told.starts_with(place) && told.contains(message), "{text}\n{told}");
    }
}

#[test]
fn an_error_stays_on_its_line_whatever_the_file_holds() {
    let said = told("[jobs]\n\"a\u{202e}\u{9b}2J\" = 1\n");
    assert!(
        said.starts_with(r#"line 2, column 1, at `"a\u{202e}\u{9b}2J"`: unknown field `a\u{202e}\u{9b}2J`"#),
        "{said}"
    );
    assert!(!told("[jobs]\na = \u{1b}[2J").contains('\u{1b}'));
}

#[test]
fn the_reference_in_the_guide_is_read_and_its_values_are_the_defaults() {
    let guide = include_str!("../../../../docs/simulator.md");
    let blocks: Vec<&str> = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    for block in &blocks {
        Scenario::parse(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
    let defaults = |scenario: &Scenario| {
        let Scenario { clock, jobs, csv, list, quota, signature, messages, .. } = scenario;
        format!("{clock:?} {jobs:?} {csv:?} {list:?} {quota:?} {signature:?} {messages:?}")
    };
    assert_eq!(defaults(&Scenario::parse(blocks[0]).unwrap()), defaults(&Scenario::default()));
}
