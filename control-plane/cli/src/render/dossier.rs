//! The evidence behind a failure, for people: whole in `segue deployment show`, the telling lines of it in the live view. All of it is
//! text from outside.

use std::fmt::Write as _;

use domain::{
    console::visible,
    failure::{Change, Dossier, StoppedTask},
};

use super::time::time;

/// Of a log, what the short form shows.
const SHORT_LINES: usize = 3;

/// The whole evidence, each line indented.
pub(super) fn whole(dossier: &Dossier, indent: &str) -> String {
    let part = |title: &str, lines: Vec<String>| {
        let mut text = String::new();
        if !lines.is_empty() {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{indent}{title}:");
        }
        for line in lines {
            let _ = writeln!(text, "{indent}  {}", visible(&line));
        }
        text
    };
    let mut text = part("stopped tasks", dossier.stopped_tasks.iter().map(task).collect());
    for log in &dossier.logs {
        let title = format!("last lines of container {} of task {} ({} {})", log.container, log.task, log.group, log.stream);
        text += &part(&visible(&title), log.lines.clone());
    }
    text += &part("changed in the task definition", dossier.changes.iter().map(change).collect());
    let targets = dossier.targets.iter().map(|target| {
        let why: Vec<_> = [&target.reason, &target.description].into_iter().flatten().map(String::as_str).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(": ")) };
        format!("{} is {}{why}", target.target, target.state)
    });
    text += &part("targets that are not healthy", targets.collect());
    let events = dossier.events.iter().map(|event| format!("{}  {}", time(event.at_ms), event.message));
    text += &part("last ECS events", events.collect());
    let requests = dossier.requests.iter().map(|request| format!("{}  {}", request.operation, request.request_id));
    text += &part("AWS request ids", requests.collect());
    text + &part("not gathered, or cut", dossier.notes.clone())
}

/// The newest stopped task and its last lines, each line indented.
pub(super) fn short(dossier: &Dossier, indent: &str) -> String {
    let mut text = String::new();
    if let Some(newest) = dossier.stopped_tasks.first() {
        let _ = writeln!(text, "{indent}task {}", visible(&task(newest)));
    }
    for line in dossier.logs.first().map_or(&[][..], |log| &log.lines[log.lines.len().saturating_sub(SHORT_LINES)..]) {
        let _ = writeln!(text, "{indent}  {}", visible(line));
    }
    text
}

fn task(task: &StoppedTask) -> String {
    let given: Vec<_> = [&task.stop_code, &task.stopped_reason].into_iter().flatten().map(String::as_str).collect();
    let mut text = format!("{}  {}", task.id, given.join(": "));
    for container in &task.containers {
        let code = container.exit_code.map(|code| format!(" exited with code {code}"));
        let reason = container.reason.as_ref().map(|reason| format!(": {reason}"));
        if code.is_some() || reason.is_some() {
            let _ = write!(text, "; {}{}{}", container.name, code.unwrap_or_default(), reason.unwrap_or_default());
        }
    }
    text
}

fn change(change: &Change) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
    match (change.hidden, &change.old, &change.new) {
        (true, Some(_), Some(_)) => format!("{} changed (values are not shown)", change.path),
        (true, None, _) => format!("{} is new (the value is not shown)", change.path),
        (true, _, None) => format!("{} is gone (the value is not shown)", change.path),
        (false, old, new) => format!("{}: {} -> {}", change.path, side(old), side(new)),
    }
}

#[cfg(test)]
mod tests {
    use domain::failure::{LastLines, StoppedContainer};

    use super::*;

    fn dossier() -> Dossier {
        let container = StoppedContainer { name: "app".to_owned(), exit_code: Some(1), reason: Some("\u{1b}[2Jbad".to_owned()) };
        let task = StoppedTask {
            id: "t1".to_owned(),
            stop_code: Some("EssentialContainerExited".to_owned()),
            stopped_reason: Some("Essential container in task exited".to_owned()),
            containers: vec![container],
        };
        let lines = ["a", "b", "c", "d\u{7}"].map(str::to_owned).to_vec();
        let log = LastLines { lines, task: "t1".to_owned(), container: "app".to_owned(), ..LastLines::default() };
        let image = Change { path: "image".to_owned(), old: Some("1".to_owned()), new: Some("2".to_owned()), hidden: false };
        let secret = Change { path: "secrets[K]".to_owned(), old: None, new: Some("(not shown)".to_owned()), hidden: true };
        Dossier { stopped_tasks: vec![task], logs: vec![log], changes: vec![image, secret], ..Dossier::default() }
    }

    #[test]
    fn the_evidence_is_shown_and_no_control_character_gets_through() {
        let shown = whole(&dossier(), "  ");
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.contains("app exited with code 1: \\u{1b}[2Jbad\n"), "{shown}");
        assert!(shown.contains("    image: 1 -> 2\n    secrets[K] is new (the value is not shown)\n"), "{shown}");
        assert_eq!(whole(&Dossier::default(), ""), "");
    }

    #[test]
    fn the_short_form_is_the_newest_task_and_its_last_lines() {
        let shown = short(&dossier(), "  ");
        assert!(shown.starts_with("  task t1  EssentialContainerExited"), "{shown}");
        assert!(shown.ends_with("    b\n    c\n    d\\u{7}\n"), "{shown}");
    }
}
