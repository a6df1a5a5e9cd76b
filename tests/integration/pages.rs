//! `completions` and `man`, read by the programs they are for.

use crate::harness::{Program, Stage, jobs};

/// A directory with two files, and with the page that is to be tried.
fn stage(page: &[&str]) -> Stage {
    let stage = Stage::new(&jobs([("good", r#"{status = "Succeeded"}"#)]));
    stage.file("watch.toml", "");
    stage.file("report.xml", "");
    let made = Program::new(stage.path(), page).end().with_code(0);
    assert_eq!(made.stderr, "");
    stage.file("page", &made.stdout);
    stage
}

/// What a shell prints, a word of each line.
fn words(stage: &Stage, shell: &str, arguments: &[&str]) -> Vec<String> {
    let ended = stage.shell(shell, arguments).end().with_code(0);
    assert_eq!(ended.stderr, "", "{ended}");
    ended.stdout.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_words_and_files() {
    let stage = stage(&["completions", "bash"]);
    // What the shell does at a tabulator: the function that was named gets the command, the word and the one before.
    let script = "\
        source ./page; compopt() { :; }
        function_of=$(complete -p cognito-import-watch | sed -E 's/.*-F ([^ ]+).*/\\1/')
        COMP_WORDS=(cognito-import-watch \"$@\"); COMP_CWORD=$#
        \"$function_of\" cognito-import-watch \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let complete = |typed: &[&str]| {
        let arguments: Vec<&str> = ["--norc", "-c", script, "bash"].into_iter().chain(typed.iter().copied()).collect();
        words(&stage, "bash", &arguments)
    };
    assert_eq!(complete(&["wa"]), ["wait"]);
    assert_eq!(complete(&["wait", "--ju"]), ["--junit"]);
    assert_eq!(complete(&["wait", "--junit", "rep"]), ["report.xml"]);
    assert_eq!(complete(&["check", "--config", "wat"]), ["watch.toml"]);
    assert_eq!(complete(&["wait", "--output", "js"]), ["json"]);
    assert_eq!(complete(&["iam-policy", "--acc"]), ["--account"]);
    assert_eq!(complete(&["completions", "z"]), ["zsh"]);
}

#[test]
#[ignore = "needs zsh: the gate's stage `pipelines`"]
fn zsh_takes_the_page_and_completes_from_it() {
    let stage = stage(&["completions", "zsh"]);
    words(&stage, "zsh", &["-f", "-n", "page"]);
    let load = "autoload -U compinit; compinit -D -u; source ./page; print -r -- $_comps[cognito-import-watch]";
    assert_eq!(words(&stage, "zsh", &["-f", "-c", load]), ["_cognito-import-watch"]);
    // A terminal of its own, in which a key is pressed: there is no other way to ask zsh.
    let ask = |typed: &str| {
        let script = format!(
            "zmodload zsh/zpty; zpty shell 'zsh -f -i'
             zpty -w shell 'PS1=; autoload -U compinit; compinit -D -u; source ./page; print rea\"\"dy'
             zpty -r -m shell out '*ready*'
             zpty -w -n shell '{typed}'$'\\t'END
             # Before the editor of lines begins the terminal itself shows what was typed, with the tabulator.
             while zpty -r -m shell out '*END*' && [[ $out == *$'\\t'END* ]]; do done
             print -r -- $out; zpty -d shell"
        );
        stage.shell("zsh", ["-f", "-c", &script]).env("TERM", "dumb").end().with_code(0).stdout
    };
    for (typed, completed) in [
        ("cognito-import-watch wai", "cognito-import-watch wait"),
        ("cognito-import-watch wait --jun", "wait --junit="),
        ("cognito-import-watch check --conf", "check --config="),
        ("cognito-import-watch wait --junit rep", "--junit report.xml"),
        ("cognito-import-watch wait --output js", "--output json"),
    ] {
        let shown = ask(typed);
        assert!(shown.contains(completed), "{typed}: {shown:?}");
    }
}

#[test]
#[ignore = "needs fish: the gate's stage `pipelines`"]
fn fish_takes_the_page_and_completes_from_it() {
    let stage = stage(&["completions", "fish"]);
    words(&stage, "fish", &["--no-config", "--no-execute", "page"]);
    let complete = |typed: &str| -> Vec<String> {
        let script = format!("source page; complete -C '{typed}'");
        let ended = stage.shell("fish", ["--no-config", "-c", &script]).end().with_code(0);
        assert_eq!(ended.stderr, "", "{ended}");
        ended.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    assert_eq!(complete("cognito-import-watch wai"), ["wait"]);
    assert_eq!(complete("cognito-import-watch wait --jun"), ["--junit"]);
    assert_eq!(complete("cognito-import-watch wait --junit rep"), ["report.xml"]);
    assert_eq!(complete("cognito-import-watch wait --output js"), ["json"]);
}

#[test]
fn the_page_of_powershell_has_every_command_and_flag() {
    let page = std::fs::read_to_string(stage(&["completions", "powershell"]).path().join("page")).unwrap();
    assert!(page.contains("Register-ArgumentCompleter -Native -CommandName 'cognito-import-watch'"));
    for part in ["'cognito-import-watch;wait'", "'--junit'", "'--summary'", "'cognito-import-watch;iam-policy'"] {
        assert!(page.contains(part), "{part}");
    }
    let count = |c: char| page.chars().filter(|found| *found == c).count();
    assert_eq!((count('{'), count('(')), (count('}'), count(')')), "every brace is closed");
}

#[test]
fn the_manual_has_a_title_and_every_command() {
    let page = std::fs::read_to_string(stage(&["man"]).path().join("page")).unwrap();
    let title = page.lines().find(|line| line.starts_with(".TH ")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let wanted = format!(".TH COGNITO-IMPORT-WATCH 1 \"\" \"cognito-import-watch {version}\" \"User Commands\"");
    assert_eq!(title, wanted);
    for command in ["RUN", "WAIT", "STATUS", "LIST", "HISTORY", "CHECK", "IAM-POLICY", "SCHEMA", "DEMO", "SIMULATE"] {
        assert!(page.contains(&format!(".SH \"COMMAND {command}\"\n")), "{command}");
    }
    assert!(page.contains("could not observe"), "the exit codes are in it");
}

#[test]
#[ignore = "needs mandoc and man: the gate's stage `pipelines`"]
fn the_readers_of_manuals_find_no_error_in_it() {
    let stage = stage(&["man"]);
    let found = stage.shell("mandoc", ["-T", "lint", "-W", "error", "page"]).end().with_code(0);
    assert_eq!(found.output(), "");
    let lint = stage.shell("mandoc", ["-T", "lint", "-W", "warning", "page"]).end().stdout;
    // clap_mangen's own breaks around empty lines do no harm, and the page is the same whenever it is made.
    let known = ["skipping paragraph macro: br", "missing date"];
    let others: Vec<&str> = lint.lines().filter(|line| !known.iter().any(|known| line.contains(known))).collect();
    assert_eq!(others, Vec::<&str>::new());
    let shown = stage.shell("man", ["--warnings", "--local-file", "page"]).env("MANWIDTH", "80").end().with_code(0);
    assert_eq!(shown.stderr, "");
    assert!(shown.stdout.contains("COMMAND WAIT"), "{shown}");
}
