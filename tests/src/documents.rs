//! The world's documents, changed as a person would change them: written to a file and applied.

use anyhow::Context;
use sandbox::world::World;

/// Applies the world's workflow as `change` makes it.
///
/// # Errors
/// When it is refused.
pub async fn change_workflow(world: &World, change: impl FnOnce(&str) -> String) -> anyhow::Result<()> {
    let workflow = world.manifests.files.iter().find(|(_, text)| text.contains("kind: Workflow"));
    let (_, text) = workflow.context("the world has a workflow")?;
    let file = world.dir.join("changed-workflow.yaml");
    std::fs::write(&file, change(text))?;
    world.segue(&["apply", "-f", &file.to_string_lossy()]).await?;
    Ok(())
}

/// Applies the world's workflow with one more step at its end.
///
/// # Errors
/// When it is refused.
pub async fn append_step(world: &World, step: &str) -> anyhow::Result<()> {
    change_workflow(world, |text| format!("{text}{step}")).await
}
