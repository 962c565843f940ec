//! Whatever the text, reading it ends soon and never with a panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::fixture::{service, workflow, wrong};
use crate::manifest::{Parsed, parse};

/// Far above what any of these take, far below what an explosion would.
const SOON: Duration = Duration::from_secs(20);

fn ends_soon(text: &str) -> Parsed {
    let started = Instant::now();
    let parsed = parse("f.yaml", text);
    assert!(started.elapsed() < SOON, "{:?} for {} bytes", started.elapsed(), text.len());
    parsed
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(
        wrong(&bomb).split_once(": ").map(|(_, said)| said),
        Some(
            "the document is too large, too deep or repeats too much of itself through aliases (divide it, or write less of it with anchors)"
        )
    );
    assert!(!ends_soon(&"[".repeat(200_000)).diagnostics.is_empty());
    assert!(!ends_soon(&format!("a: {}", "[".repeat(1_000))).diagnostics.is_empty());
    assert!(!ends_soon(&"a:\n ".repeat(10_000)).diagnostics.is_empty());
    assert!(!ends_soon(&"- a\n".repeat(200_000)).diagnostics.is_empty());
}

#[test]
fn large_and_wrong_documents_end_soon_with_some_of_the_findings() {
    let fields: String = (0..10_000).map(|n| format!("x{n}: 1\n")).collect();
    assert_eq!(ends_soon(&format!("kind: Application\n{fields}")).diagnostics.len(), 201);
    let many = "kind: Application\nname: A\n---\n".repeat(400);
    assert_eq!(ends_soon(&many).diagnostics.len(), 201);
    assert_eq!(ends_soon(&"a: 1\n---\n".repeat(100_000)).diagnostics.len(), 1);
    assert_eq!(ends_soon(&"a".repeat(2 * 1024 * 1024)).diagnostics.len(), 1);
    let containers: String = (0..8_000).map(|_| "  {\"name\": 1, \"image\": 2},\n").collect();
    let json = format!("{{\"containerDefinitions\": [\n{containers}  {{}}\n]}}");
    assert_eq!(ends_soon(&service(&json).replace("taskDefinition:", "taskDefinition: |")).diagnostics.len(), 201);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_read_or_refused(text in ".{0,400}") {
        parse("f.yaml", &text);
    }

    #[test]
    fn arbitrary_yaml_is_read_or_refused(text in "([a-z${}.:|>&*!%@`'\"#,\\[\\]\\-\\?~0-9 \n\t\u{e9}]|kind: |name: |spec:\n  |---\n){0,120}") {
        parse("f.yaml", &text);
        parse("f.yaml", &service(&text));
        parse("f.yaml", &workflow(&text));
    }

    #[test]
    fn a_right_document_that_is_cut_or_damaged_is_read_or_refused(at in 0usize..2_000, with in "[ -~\n]{0,3}", keep in any::<bool>()) {
        let text = include_str!("../../../../../deploy/examples/todolist/service.yaml");
        let at = at.min(text.len());
        let rest = if keep { &text[(at + with.len()).min(text.len())..] } else { "" };
        for finding in parse("f.yaml", &format!("{}{with}{rest}", &text[..at])).diagnostics {
            prop_assert!(!finding.message.is_empty() && finding.file == "f.yaml");
        }
    }
}
