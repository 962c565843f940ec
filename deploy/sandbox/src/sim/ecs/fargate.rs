//! What Fargate asks of a task definition: its network mode, and a processor and memory that go together.

use serde_json::Value;

use super::api::{Input, client};
use crate::sim::error::ApiError;

/// Checks a task definition that requires Fargate.
pub(super) fn check(document: &Input) -> Result<(), ApiError> {
    let requires = document.get("requiresCompatibilities").and_then(Value::as_array).into_iter().flatten();
    if !requires.into_iter().any(|kind| kind == "FARGATE") {
        return Ok(());
    }
    if document.get("networkMode").and_then(Value::as_str) != Some("awsvpc") {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    for member in ["cpu", "memory"] {
        if text(document, member).is_none() {
            return Err(client(format!("Fargate requires that '{member}' be defined at the task level.")));
        }
    }
    if fits(document) {
        return Ok(());
    }
    let shown = |member: &str| text(document, member).unwrap_or_default().to_owned();
    Err(client(format!("No Fargate configuration exists for given values: {} CPU, {} memory.", shown("cpu"), shown("memory"))))
}

/// Whether a task definition can run on Fargate, required or not.
pub(super) fn is_compatible(document: &Input) -> bool {
    let required = document.get("requiresCompatibilities").and_then(Value::as_array).filter(|kinds| !kinds.is_empty());
    let wanted = required.is_none_or(|kinds| kinds.iter().any(|kind| kind == "FARGATE"));
    wanted && document.get("networkMode").and_then(Value::as_str) == Some("awsvpc") && fits(document)
}

fn text<'a>(document: &'a Input, member: &str) -> Option<&'a str> {
    document.get(member).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn fits(document: &Input) -> bool {
    let cpu = text(document, "cpu").and_then(|text| units(text, "vcpu"));
    let memory = text(document, "memory").and_then(|text| units(text, "gb"));
    // Processor units, and the least, the most and the step of memory that goes with them, in MiB.
    let sizes: [(u32, u32, u32, u32); 7] = [
        (256, 512, 2_048, 512),
        (512, 1_024, 4_096, 1_024),
        (1_024, 2_048, 8_192, 1_024),
        (2_048, 4_096, 16_384, 1_024),
        (4_096, 8_192, 30_720, 1_024),
        (8_192, 16_384, 61_440, 4_096),
        (16_384, 32_768, 122_880, 8_192),
    ];
    let (Some(cpu), Some(memory)) = (cpu, memory) else { return false };
    let found = sizes.into_iter().find(|(size, ..)| *size == cpu);
    found.is_some_and(|(_, least, most, step)| {
        (least..=most).contains(&memory) && memory % step == 0 && !(cpu == 256 && memory == 1_536)
    })
}

/// `256`, or `.25 vCPU`, `0.5 GB` in 1024ths of the unit.
fn units(text: &str, unit: &str) -> Option<u32> {
    let lower = text.trim().to_ascii_lowercase();
    match lower.strip_suffix(unit) {
        None => lower.parse().ok(),
        Some(number) => {
            let scaled = number.trim().parse::<f64>().ok().filter(|number| (0.0..=1_000.0).contains(number))? * 1_024.0;
            (scaled.fract() == 0.0).then(|| format!("{scaled:.0}").parse().ok()).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(cpu: &str, memory: &str) -> Input {
        let document = json!({"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": cpu, "memory": memory});
        document.as_object().cloned().expect("an object")
    }

    #[test]
    fn processor_and_memory_go_together_as_aws_lists_them() {
        for (cpu, memory) in [("256", "512"), ("256", "2048"), (".25 vCPU", "0.5 GB"), ("1 vCPU", "3GB"), ("16384", "122880")] {
            assert!(check(&document(cpu, memory)).is_ok(), "{cpu} {memory}");
        }
        for (cpu, memory) in [("256", "1536"), ("256", "4096"), ("300", "512"), ("512", "512"), ("x", "512"), ("8192", "17408")] {
            let error = check(&document(cpu, memory)).expect_err("a refusal");
            assert!(error.message.starts_with("No Fargate configuration exists for given values"), "{}", error.message);
        }
    }

    #[test]
    fn without_the_requirement_anything_goes() {
        let mut free = document("300", "1");
        free.remove("requiresCompatibilities");
        assert!(check(&free).is_ok());
        assert!(!is_compatible(&free));
    }
}
