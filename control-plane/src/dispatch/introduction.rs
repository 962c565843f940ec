//! A delegate's hello: read once, at the edge, within limits. Who it is, the certificate says; the hello says what it can do.

use std::collections::BTreeSet;

use domain::{
    ids::{DelegateId, InstanceId},
    step::StepKind,
    task::TaskKey,
};
use proto::{
    PROTOCOL,
    convert::{
        Malformed,
        document::{parse, parse_all},
    },
    delegate,
};

use super::sessions::Introduction;

/// Selectors that a delegate may bear.
const SELECTORS: usize = 64;
/// Characters of a selector or a version.
const TEXT: usize = 128;
/// The question about access to AWS, as a hello names it.
const ACCESS: &str = "access";
/// Tasks that a hello or a heartbeat may list.
pub(super) const TASKS: usize = 10_000;

/// Reads a hello.
///
/// # Errors
/// When a field is not what it must be, or the delegate speaks another version of the protocol.
pub(super) fn read(
    delegate: DelegateId,
    name: String,
    hello: delegate::Hello,
) -> Result<(Introduction, Vec<TaskKey>), Malformed> {
    if hello.protocol != PROTOCOL {
        let problem = format!("the delegate speaks version {}, this control plane version {PROTOCOL}", hello.protocol);
        return Err(Malformed::new("protocol", problem));
    }
    let instance: InstanceId = parse("instance_id", &hello.instance_id)?;
    if hello.tasks.len() > TASKS {
        return Err(Malformed::new("tasks", format!("more than {TASKS}")));
    }
    let tasks = parse_all("tasks", &hello.tasks)?;
    if hello.selectors.len() > SELECTORS {
        return Err(Malformed::new("selectors", format!("more than {SELECTORS}")));
    }
    let selectors: BTreeSet<String> =
        hello.selectors.into_iter().map(|selector| text("selectors", selector)).collect::<Result<_, _>>()?;
    // A newer delegate may know kinds that this control plane has never heard of: they are never asked for.
    let kinds = hello.step_kinds.iter().take(TEXT).filter_map(|kind| StepKind::parse(kind)).collect();
    let tells_access = hello.questions.iter().take(TEXT).any(|question| question == ACCESS);
    let version = text("version", hello.version)?;
    Ok((Introduction { delegate, instance, name, version, kinds, selectors, tells_access, draining: hello.draining }, tasks))
}

fn text(field: &'static str, text: String) -> Result<String, Malformed> {
    let fits = text.chars().count() <= TEXT && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(Malformed::new(field, format!("not a text of at most {TEXT} printable characters"))) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn hello() -> delegate::Hello {
        delegate::Hello {
            instance_id: InstanceId::new(Uuid::from_u128(3)).to_string(),
            version: "1.2.3".into(),
            protocol: PROTOCOL,
            step_kinds: vec!["note".into(), "fromTheFuture".into()],
            selectors: vec!["eu".into()],
            tasks: Vec::new(),
            draining: false,
            questions: vec!["access".into(), "from the future".into()],
        }
    }

    fn error(change: fn(&mut delegate::Hello)) -> &'static str {
        let mut hello = hello();
        change(&mut hello);
        read(DelegateId::new(Uuid::nil()), "d".into(), hello).map(|_| ()).expect_err("malformed").field
    }

    #[test]
    fn what_is_known_is_taken_and_what_is_wrong_is_named() {
        let (introduction, tasks) = read(DelegateId::new(Uuid::nil()), "d".into(), hello()).expect("a hello");
        assert!(introduction.kinds.iter().eq([&StepKind::Note]) && tasks.is_empty() && introduction.tells_access);
        assert_eq!(error(|hello| hello.protocol = 2), "protocol");
        assert_eq!(error(|hello| hello.instance_id = "x".into()), "instance_id");
        assert_eq!(error(|hello| hello.selectors = vec!["a\u{1b}".into()]), "selectors");
        assert_eq!(error(|hello| hello.tasks = vec!["x".into()]), "tasks");
    }
}
