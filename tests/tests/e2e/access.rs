//! Who is let in: a certificate of another authority, a join token that is used or expired, a CLI without or with a wrong token.

use std::time::Duration;

use anyhow::Context;
use sandbox::world::{Process, World, WorldSettings};
use serde_json::Value;
use tests::{
    deployments::{ended, segue},
    processes::ends_saying,
    programs::programs,
};

struct Join {
    token: String,
    gateway: String,
    authorities: String,
}

async fn join_token(world: &World, arguments: &[&str]) -> anyhow::Result<Join> {
    let mut command = vec!["delegate", "token", "create", "-o", "json"];
    command.extend(arguments);
    let created: Value = serde_json::from_str(&world.segue(&command).await?)?;
    let field = |name: &str| created[name].as_str().map(str::to_owned).with_context(|| format!("{name} in {created}"));
    Ok(Join { token: field("token")?, gateway: field("gateway")?, authorities: field("authorities")? })
}

/// A delegate's process with its own state folder.
fn delegate(world: &World, name: &str, join: &Join, authorities: &str) -> anyhow::Result<Process> {
    let dir = world.dir.join(name);
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("ca.pem"), authorities)?;
    let mut command = world.programs().delegate();
    command.arg("--control-plane").arg(&join.gateway).arg("--authorities").arg(dir.join("ca.pem"));
    command.arg("--state-dir").arg(dir.join("state")).arg("--name").arg(name);
    command.env("SEGUE_JOIN_TOKEN", &join.token).env("AWS_REGION", "us-west-1");
    Process::start(name, command, &world.dir)
}

#[tokio::test]
async fn a_join_token_lets_one_delegate_in_once_and_not_for_long() -> anyhow::Result<()> {
    let mut world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;

    let join = join_token(&world, &[]).await?;
    let mut first = delegate(&world, "first", &join, &join.authorities)?;
    let connected = async |name: &str| -> anyhow::Result<bool> {
        let listed: Value = serde_json::from_str(&world.segue(&["delegate", "list", "-o", "json"]).await?)?;
        Ok(listed.as_array().into_iter().flatten().any(|found| found["name"] == name && found["connected"] == true))
    };
    while !connected("first").await? {
        assert!(first.is_running(), "{}", first.output());
    }
    ends_saying(delegate(&world, "second", &join, &join.authorities)?, "join token").await?;
    assert!(!connected("second").await?);

    let short = join_token(&world, &["--ttl", "1s"]).await?;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    ends_saying(delegate(&world, "late", &short, &short.authorities)?, "join token").await?;

    let guessed =
        Join { token: format!("{}x", short.token), gateway: short.gateway.clone(), authorities: short.authorities.clone() };
    ends_saying(delegate(&world, "guesser", &guessed, &guessed.authorities)?, "join token").await?;

    // The token is nowhere: not in the store, not in a log, not in a process list.
    let secret = join.token.as_bytes();
    for file in walk(&world.dir)? {
        let bytes = std::fs::read(&file)?;
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "the join token stands in {}", file.display());
    }
    first.stop(Duration::from_secs(10)).await?;
    world.server.stop(Duration::from_secs(10)).await?;
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_on_either_side() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;
    let mut other = World::start(programs(), WorldSettings { delegates: 1, ..WorldSettings::default() }).await?;

    // A delegate that trusts another authority does not even send its token.
    let join = join_token(&world, &[]).await?;
    let strange = join_token(&other, &[]).await?;
    let mut process = delegate(&world, "mistrusting", &join, &strange.authorities)?;
    process.ready(Duration::from_secs(20), || async { true }).await?;
    for _ in 0..500 {
        if process.output().contains("certificate") || !process.is_running() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(process.output().contains("certificate"), "{}", process.output());
    process.kill().await?;

    // A delegate of the other control plane, with its certificate, comes to this one's door.
    other.delegates[0].process.stop(Duration::from_secs(20)).await?;
    let state = other.dir.join("delegate-1");
    let mut command = other.programs().delegate();
    command.arg("--control-plane").arg(&join.gateway).arg("--authorities").arg(world.dir.join("authorities.pem"));
    command.arg("--state-dir").arg(&state).arg("--name").arg("delegate-1").env("AWS_REGION", "us-west-1");
    let mut intruder = Process::start("intruder", command, &other.dir)?;
    for _ in 0..500 {
        if intruder.output().to_lowercase().contains("certificate") || !intruder.is_running() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(intruder.output().to_lowercase().contains("certificate"), "{}", intruder.output());
    let listed: Value = serde_json::from_str(&world.segue(&["delegate", "list", "-o", "json"]).await?)?;
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    intruder.kill().await?;
    other.server.stop(Duration::from_secs(10)).await?;
    world.stop().await
}

#[tokio::test]
async fn a_person_without_a_token_or_with_a_wrong_one_is_refused() -> anyhow::Result<()> {
    let world = World::start(programs(), WorldSettings { delegates: 0, ..WorldSettings::default() }).await?;
    let context = std::fs::read_to_string(world.context_file())?;
    let token =
        context.lines().find_map(|line| line.strip_prefix("token: ")).context("a token in the context")?.trim().to_owned();

    for (name, wrong) in [("wrong", "tok_not-a-token-of-this-server"), ("none", "")] {
        let file = world.dir.join(format!("{name}.yaml"));
        std::fs::write(&file, context.replace(token.trim_matches(['"', '\'']), wrong))?;
        let mut command = world.programs().segue();
        let ended = ended(command.env("SEGUE_CONTEXT", &file).args(["deployment", "list"])).await?;
        assert_eq!(ended.code, 5, "{name}: {}", ended.all());
        assert!(!ended.all().contains(token.trim_matches(['"', '\''])), "{name}: the token was printed");
    }

    // The token is stored hashed, and only the context file (0600) bears it.
    let secret = token.trim_matches(['"', '\'']).as_bytes();
    for file in walk(&world.dir)? {
        if file == world.context_file() || file.extension().is_some_and(|extension| extension == "yaml") {
            continue;
        }
        let bytes = std::fs::read(&file)?;
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "the token stands in {}", file.display());
    }
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(world.context_file())?.permissions().mode() & 0o777, 0o600);

    // Nobody at the door: another exit status.
    let unreachable = world.dir.join("unreachable.yaml");
    let port = context.lines().find_map(|line| line.strip_prefix("server: ")).context("a server in the context")?;
    std::fs::write(&unreachable, context.replace(port, "https://127.0.0.1:9"))?;
    let mut command = world.programs().segue();
    let ended = ended(command.env("SEGUE_CONTEXT", &unreachable).args(["deployment", "list"])).await?;
    assert_eq!(ended.code, 4, "{}", ended.all());

    let usage = segue(&world, &["deployment", "lst"]).await?;
    assert_eq!(usage.code, 2, "{}", usage.all());
    world.stop().await
}

fn walk(dir: &std::path::Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(walk(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}
