//! Rules about the text of the repository's files.

use crate::{
    findings::none,
    tree::{files, rust},
};

/// Lines that a file may have in front of its tests.
const LONGEST: usize = 600;

#[test]
fn no_file_is_longer_than_a_person_can_hold() {
    let long = rust().into_iter().filter_map(|file| {
        let lines = file.lines_without_tests().count();
        (lines > LONGEST).then(|| format!("{}: {lines} lines", file.path))
    });
    none(
        "A Rust file has at most 600 lines without its tests",
        "the files that people get lost in all began as the place that ties things together",
        &long.collect::<Vec<_>>(),
    );
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let bare = rust().into_iter().filter(|file| !file.text().starts_with("//!")).map(|file| file.path);
    none(
        "A Rust file begins with a module header (//!)",
        "whoever opens the door is told what the room is for",
        &bare.collect::<Vec<_>>(),
    );
}

#[test]
fn lib_and_mod_files_hold_no_logic() {
    const ITEMS: [&str; 8] = ["fn ", "impl ", "impl<", "struct ", "enum ", "trait ", "macro_rules!", "async fn "];
    let mut found = Vec::new();
    for file in rust().into_iter().filter(|file| !file.is_test()) {
        if !(file.path.ends_with("/lib.rs") || file.path.ends_with("/mod.rs")) {
            continue;
        }
        for (number, line) in file.lines_without_tests() {
            let item = line.trim_start();
            let item = item.strip_prefix("pub ").or_else(|| item.strip_prefix("pub(crate) ")).unwrap_or(item);
            let item = item.strip_prefix("const ").filter(|rest| rest.starts_with("fn ")).unwrap_or(item);
            if ITEMS.iter().any(|start| item.starts_with(start)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none(
        "lib.rs and mod.rs hold only modules, what they give out, and words about them",
        "they are the map; what a name means is found in the file of that name",
        &found,
    );
}

#[test]
fn names_say_what_a_thing_is() {
    let empty = ["manager", "helper", "helpers", "util", "utils", "common", "misc"];
    let found = files().into_iter().filter(|file| {
        file.path
            .split(['/', '.'])
            .any(|part| part.split(['_', '-']).any(|word| empty.contains(&word.to_ascii_lowercase().as_str())))
    });
    none(
        "No file or folder is called manager, helper, utils, common or misc",
        "a name that fits everything says nothing, and everything ends up under it",
        &found.map(|file| file.path).collect::<Vec<_>>(),
    );
}

#[test]
fn no_test_is_switched_off() {
    // Neither is a test: cargo has no other place for a process that tests start, or for a measurement of private parts.
    const NO_TESTS: [&str; 2] = ["= \"started by other tests, as a process to be killed\"]", "= \"a measurement\"]"];
    // Too long for every run, and run as one by hand: of each of them CI runs a sample, in the same file.
    const IN_FULL: &str = ": ./tests/run --full\"]";
    const FULL_RUN: &str = "--test e2e -- --ignored";
    let runs_in_full = files().iter().any(|file| file.path == "tests/run" && file.text().contains(FULL_RUN));
    let ignore = ["#[ig", "nore"].concat();
    let mut found = places(&[&ignore], |file| file.ends_with(".rs"));
    found.retain(|place| !NO_TESTS.iter().any(|reason| place.ends_with(reason)));
    found.retain(|place| !(runs_in_full && place.starts_with("tests/tests/e2e/") && place.ends_with(IN_FULL)));
    none("No test is switched off", "a test that does not run is a promise that nobody keeps", &found);
}

#[test]
fn every_task_has_a_name_and_an_owner() {
    const OWNER: &str = "shared/runtime/src/tasks.rs";
    let spawns = [["tokio::sp", "awn("].concat(), ["task::sp", "awn("].concat(), ["thread::sp", "awn("].concat()];
    let words: Vec<&str> = spawns.iter().map(String::as_str).collect();
    let mut found = places(&words, |file| file.ends_with(".rs") && file != OWNER);
    // A thread that a test waits for has its owner.
    let tests: Vec<String> = rust().into_iter().filter(|file| file.is_test()).map(|file| file.path).collect();
    found.retain(|place| !(place.contains(&spawns[2]) && tests.iter().any(|test| place.starts_with(test.as_str()))));
    none(
        "Nothing is spawned but through runtime::tasks (or a JoinSet that somebody holds)",
        "what nobody waits for is lost silently when it panics, and outlives the shutdown",
        &found,
    );
}

#[test]
fn queues_towards_peers_are_bounded() {
    let unbounded = ["unbounded_ch", "annel"].concat();
    let found = places(&[&unbounded], |file| file.ends_with(".rs"));
    none("No channel is unbounded", "a peer that does not read would take all memory", &found);
}

#[test]
fn nothing_is_left_to_do() {
    let marks: Vec<String> = [["TO", "DO"], ["FIX", "ME"], ["HA", "CK"]].iter().map(|halves| halves.concat()).collect();
    let mut found = Vec::new();
    for file in files() {
        for (number, line) in file.lines() {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            if words.into_iter().any(|word| marks.iter().any(|mark| mark == word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    none("No marks of unfinished work", "what is not done is an issue, where somebody finds it", &found);
}

#[test]
fn nothing_names_the_place_where_it_was_written() {
    // Put together here, so that this file does not name them either.
    let places_of_work = [["/wo", "rk/"], ["/tm", "p/"], ["/ro", "ot/"], ["/ho", "me/"], [".lib", "rary"], ["index-", "url"]];
    let words: Vec<String> = places_of_work.iter().map(|halves| halves.concat()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    none(
        "No path or address of a developer's machine stands in the repository",
        "it is right on one machine only, and tells strangers about it",
        &places(&words, |_| true),
    );
}

#[test]
fn no_secret_lies_in_the_repository() {
    let key = ["PRIVATE KEY", "-----"].concat();
    let found = places(&[&key], |file| !file.ends_with(".lock"));
    none("No private key lies in the repository", "what was committed once is known for ever", &found);
}

#[test]
fn everything_is_text() {
    let binary = files().into_iter().filter(|file| file.text.is_none()).map(|file| file.path);
    none("Every file is UTF-8 text", "what can't be read can't be reviewed", &binary.collect::<Vec<_>>());
}

#[test]
fn lines_end_where_their_text_ends() {
    let mut found = Vec::new();
    for file in files().into_iter().filter(|file| !file.path.ends_with(".snap")) {
        let text = file.text();
        if !text.is_empty() && !text.ends_with('\n') {
            found.push(format!("{}: no line break at its end", file.path));
        }
        found.extend(
            file.lines()
                .filter(|(_, line)| line.ends_with([' ', '\t', '\r']))
                .map(|(number, _)| format!("{}:{number}: white space at its end", file.path)),
        );
    }
    none("No white space at the ends of lines", "it makes noise in every diff", &found);
}

#[test]
fn the_readme_says_early_how_to_run_it() {
    let readme = std::fs::read_to_string(crate::tree::root().join("README.md")).expect("there is a README.md");
    let top: Vec<&str> = readme.lines().take(60).collect();
    let missing = ["cargo run --release -p sandbox -- demo", "./tests/run"]
        .into_iter()
        .filter(|command| !top.iter().any(|line| line.contains(command)))
        .map(str::to_owned);
    none(
        "README.md names the two commands in its first 60 lines",
        "a README that never says how to run it is the first thing newcomers meet",
        &missing.collect::<Vec<_>>(),
    );
}

/// Every line with one of the words in the files that are meant, as `file:line: text`.
fn places(words: &[&str], meant: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files().into_iter().filter(|file| meant(&file.path)) {
        for (number, line) in file.lines() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    found
}
