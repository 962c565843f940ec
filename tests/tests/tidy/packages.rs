//! Rules about who may use what: between Segue's own packages, and of the world's. Asked of cargo, which knows what is really
//! compiled; `deny.toml` says the same to cargo-deny.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use crate::{findings::none, tree::root};

/// What each package may use of ours: the table in ARCHITECTURE.md.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("proto", &["domain"]),
    ("runtime", &["domain"]),
    ("engine", &["domain"]),
    ("control-plane", &["engine", "domain", "proto", "runtime"]),
    ("cli", &["control-plane", "domain", "proto", "runtime"]),
    ("delegate", &["domain", "proto", "runtime"]),
    ("sandbox", &["cli", "control-plane", "delegate", "domain", "engine", "proto", "runtime"]),
    ("simulation", &["control-plane", "delegate", "domain", "engine", "runtime"]),
    ("tests", &["cli", "control-plane", "delegate", "domain", "engine", "proto", "runtime", "sandbox"]),
];

/// What must not be compiled into a package, however deep below it.
const NEVER_SEES: [(&str, &[&str]); 6] = [
    ("domain", &["tokio", "tonic", "sled", "aws", "hyper", "rand"]),
    ("engine", &["tokio", "tonic", "sled", "aws", "hyper", "rand"]),
    ("runtime", &["sled", "aws"]),
    ("proto", &["sled", "aws"]),
    ("control-plane", &["aws"]),
    ("delegate", &["sled", "engine", "control-plane"]),
];

/// What must not stand among a package's own dependencies. (Libraries have typed errors; `main` and tests may be brief.)
const NEVER_NAMES: [(&str, &[&str]); 5] = [
    ("domain", &["anyhow"]),
    ("engine", &["anyhow"]),
    ("runtime", &["anyhow"]),
    ("proto", &["anyhow", "tokio"]),
    ("cli", &["sled", "aws"]),
];

/// Crates that nothing of ours may bring in, and why.
const BANNED: [(&str, &str, &str); 11] = [
    ("ring", "", "one crypto provider: aws-lc-rs"),
    ("openssl", "", "TLS is rustls"),
    ("openssl-sys", "", "TLS is rustls"),
    ("native-tls", "", "TLS is rustls"),
    ("hyper", "0.14", "the AWS SDK's legacy stack, by a default feature of a service crate"),
    ("h2", "0.3", "RUSTSEC-2026-0258 has no fixed release of this line; by a default feature of an AWS service crate"),
    ("rustls", "0.21", "the AWS SDK's legacy stack, by a default feature of a service crate"),
    ("serde_yaml", "", "deprecated; YAML is read with positions by serde-saphyr"),
    ("serde_yaml_ng", "", "built on unsafe-libyaml"),
    ("serde_norway", "", "built on unsafe-libyaml"),
    ("aws-sdk-ec2", "", "1.2 million lines for four calls"),
];

/// Crates that only some may use directly, and why.
const ONLY_BY: [(&str, &[&str], &str); 3] = [
    ("sled", &["control-plane"], "one store behind one trait"),
    (
        "chrono",
        &["winterbaume-core", "winterbaume-ecs", "winterbaume-elasticloadbalancingv2", "winterbaume-sts"],
        "times are jiff's; only the simulator's wire types bring it along",
    ),
    (
        "winterbaume-core",
        &["sandbox", "winterbaume-ecs", "winterbaume-elasticloadbalancingv2", "winterbaume-sts"],
        "the simulator's",
    ),
];

/// Runs `cargo tree` over what Cargo.lock says, without the network.
fn cargo_tree(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--quiet"])
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    // A crate that is not there at all is an answer.
    assert!(output.status.success() || said.contains("did not match any packages"), "cargo tree {arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// Names and versions below a package (or `--workspace`), by these kinds of dependency.
fn below(package: &[&str], edges: &str, depth: Option<&str>) -> BTreeMap<String, BTreeSet<String>> {
    let mut arguments = package.to_vec();
    arguments.extend(["-e", edges, "--prefix", "none"]);
    if let Some(depth) = depth {
        arguments.extend(["--depth", depth]);
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in cargo_tree(&arguments).lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            found.entry(name.to_owned()).or_default().insert(version.trim_start_matches('v').to_owned());
        }
    }
    found
}

/// Those that the word means: a name, or with `aws` all of the AWS SDK (not AWS's library of cryptography).
fn meant<'a>(names: impl Iterator<Item = &'a String>, word: &str) -> Vec<&'a str> {
    let is_meant = |name: &str| {
        if word == "aws" { name.starts_with("aws-") && !name.starts_with("aws-lc") } else { name == word }
    };
    names.map(String::as_str).filter(|name| is_meant(name)).collect()
}

#[test]
fn the_arrows_between_our_packages_go_one_way() {
    let ours: Vec<&str> = MAY_USE.iter().map(|(package, _)| *package).collect();
    let mut found = Vec::new();
    for (package, may_use) in MAY_USE {
        let used = below(&["-p", package], "normal,build", Some("1"));
        assert!(used.contains_key(package), "cargo tree did not list {package} itself");
        let used = used.into_keys().filter(|name| ours.contains(&name.as_str()) && name != package);
        found.extend(used.filter(|name| !may_use.contains(&name.as_str())).map(|name| format!("{package} uses {name}")));
    }
    none(
        "A package uses only what the table in ARCHITECTURE.md allows it",
        "the vocabulary must not learn that gRPC exists, the delegate not how the control plane decides",
        &found,
    );
}

#[test]
fn what_a_package_must_not_see_is_not_compiled_into_it() {
    let mut found = Vec::new();
    for (package, hidden) in NEVER_SEES {
        let all = below(&["-p", package], "normal", None);
        for word in hidden {
            found.extend(meant(all.keys(), word).iter().map(|name| format!("{package} brings in {name}")));
        }
    }
    for (package, hidden) in NEVER_NAMES {
        let own = below(&["-p", package], "normal", Some("1"));
        for word in hidden {
            found.extend(meant(own.keys(), word).iter().map(|name| format!("{package} names {name}")));
        }
    }
    let cli = below(&["-p", "cli"], "normal", None);
    found.extend(meant(cli.keys(), "aws").iter().map(|name| format!("cli brings in {name}")));
    none(
        "What a package must never see is not below it",
        "the control plane holds no AWS credentials and must not be able to call AWS; the core must not be able to do IO",
        &found,
    );
}

#[test]
fn banned_crates_are_not_compiled() {
    let all = below(&["--workspace"], "normal,build,dev", None);
    assert!(all.len() > 100, "cargo tree listed hardly anything");
    let mut found = Vec::new();
    for (name, line, why) in BANNED {
        let versions = all.get(name).into_iter().flatten();
        let banned = versions.filter(|version| line.is_empty() || version.starts_with(&format!("{line}.")));
        found.extend(banned.map(|version| format!("{name} {version}: {why}")));
    }
    none("No banned crate is compiled", "each of them is a second stack, a known hole, or both", &found);
}

#[test]
fn crates_with_one_owner_have_no_second() {
    let mut found = Vec::new();
    for (name, owners, why) in ONLY_BY {
        let users = cargo_tree(&["--workspace", "-i", name, "-e", "normal", "--prefix", "depth", "--depth", "1"]);
        for line in users.lines() {
            let user = line.strip_prefix('1').and_then(|rest| rest.split_whitespace().next());
            if let Some(user) = user.filter(|user| !owners.contains(user)) {
                found.push(format!("{user} uses {name}: {why}"));
            }
        }
    }
    none("A crate with one owner is used by nobody else", "what is used at one place can be replaced at one place", &found);
}

#[test]
fn everything_comes_from_the_public_registry() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("there is a Cargo.lock");
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let found = lock.lines().filter(|line| line.starts_with("source = ") && *line != registry).map(str::to_owned);
    none(
        "Every dependency comes from crates.io",
        "a branch of somebody's repository, or a registry that strangers cannot reach, is not there tomorrow",
        &found.collect::<Vec<_>>(),
    );
}
