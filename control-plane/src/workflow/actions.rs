//! Scripts and notifications as the engine plans them.

use domain::{
    manifest::{NotifyDocument, ScriptDocument, Source},
    step::{Notify, ShellScript},
};

use super::{names::Names, resolver::Resolver, setup::optional};

const SCRIPT_TIMEOUT_MS: u64 = 600_000;

/// The script with the expressions of its environment replaced that can be. None: something is wrong and noted, or still open.
pub(super) fn shell_script(
    said: &ScriptDocument,
    source: &Source,
    names: &Names,
    resolver: &mut Resolver,
) -> Option<ShellScript> {
    let timeout = optional(&said.timeout, |length| resolver.now(source, names, length));
    let env: Vec<_> = said.env.iter().map(|(name, value)| Some((name.clone(), resolver.later(source, names, value)?))).collect();
    let idempotent = optional(&said.idempotent, |yes| resolver.now(source, names, yes));
    let timeout_ms = timeout?.unwrap_or(SCRIPT_TIMEOUT_MS);
    if let Some(text) = said.timeout.as_ref().filter(|_| timeout_ms < 1_000) {
        resolver.add(source.finding(&text.text.place, "a script that may run less than a second can't succeed".to_owned()));
        return None;
    }
    Some(ShellScript {
        script: ShellScript::escaped(&said.script.value),
        timeout_ms,
        env: env.into_iter().collect::<Option<_>>()?,
        idempotent: idempotent?.unwrap_or(false),
    })
}

/// The notification with every expression replaced that can be. None: something is wrong and noted, or still open.
pub(super) fn notify(said: &NotifyDocument, source: &Source, names: &Names, resolver: &mut Resolver) -> Option<Notify> {
    let webhook = resolver.later(source, names, &said.webhook);
    let message = resolver.later(source, names, &said.message);
    let required = optional(&said.required, |yes| resolver.now(source, names, yes));
    Some(Notify { webhook: webhook?, message: message?, required: required?.unwrap_or(false) })
}
