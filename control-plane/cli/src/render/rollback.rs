//! What a rollback after success would do, before it is confirmed.

use std::fmt::Write as _;

use domain::console::visible;
use proto::api::{RollbackPreview, Version};

/// What serves, what will, and where.
pub fn rollback_preview(seen: &RollbackPreview) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "Rollback of {} of {} on {} ({})",
        seen.rolls_back,
        visible(&seen.service),
        visible(&seen.infrastructure),
        visible(&seen.environment)
    );
    for (title, which) in [("serves now", &seen.serving), ("will serve", &seen.previous)] {
        let _ = writeln!(text, "  {title}   {}", version(which.as_ref()));
    }
    let _ = writeln!(
        text,
        "  by          one switch of {}; then {} goes to 0 and is kept",
        visible(&seen.by),
        visible(seen.serving.as_ref().map_or("", |version| version.service.as_str())),
    );
    for remark in &seen.remarks {
        let _ = writeln!(text, "  note        {}", visible(remark));
    }
    let _ = writeln!(text, "  seen by     delegate {}", visible(&seen.delegate_name));
    text
}

fn version(version: Option<&Version>) -> String {
    let Some(version) = version else { return "unknown".to_owned() };
    let image = if version.image.is_empty() { "image unknown" } else { version.image.as_str() };
    let instances = if version.count == 1 { "instance" } else { "instances" };
    format!("{} as {}, {} {instances}", visible(image), visible(&version.service), version.count)
}
