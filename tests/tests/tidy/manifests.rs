//! Rules about the `Cargo.toml` of each package.

use crate::{
    findings::none,
    tree::{SourceFile, files},
};

fn members() -> Vec<SourceFile> {
    let members: Vec<_> = files().into_iter().filter(|file| file.path.ends_with("/Cargo.toml")).collect();
    assert!(members.len() >= 9, "hardly any package was found: these rules would hold of nothing");
    members
}

/// The lines of a TOML file with the name of the section that each stands in.
fn sections(text: &str) -> impl Iterator<Item = (usize, String, &str)> {
    let mut section = String::new();
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.trim_matches(['[', ']']).clone_into(&mut section);
            return None;
        }
        let meant = !line.is_empty() && !line.starts_with('#');
        meant.then(|| (index + 1, section.clone(), line))
    })
}

#[test]
fn versions_stand_in_the_root_manifest_and_nowhere_else() {
    let mut found = Vec::new();
    for file in members() {
        for (number, section, line) in sections(file.text()) {
            let dependency = section.ends_with("dependencies");
            let in_table = section.contains("dependencies.");
            if in_table || dependency && !line.replace(' ', "").contains("workspace=true") {
                found.push(format!("{}:{number}: {line}", file.path));
            }
        }
    }
    none(
        "A package takes every dependency from the workspace (`name.workspace = true`)",
        "versions and features at two places drift apart, and the dependency is compiled twice",
        &found,
    );
}

#[test]
fn every_package_has_the_workspace_s_lints() {
    let bare = members().into_iter().filter(|file| {
        !sections(file.text()).any(|(_, section, line)| section == "lints" && line.replace(' ', "") == "workspace=true")
    });
    none(
        "Every package has `[lints] workspace = true`",
        "a package without them may use unsafe code and forget documentation",
        &bare.map(|file| file.path).collect::<Vec<_>>(),
    );
}

#[test]
fn no_package_is_ever_published_by_accident() {
    let open = members().into_iter().filter(|file| {
        !sections(file.text()).any(|(_, section, line)| section == "package" && line.replace(' ', "").starts_with("publish"))
    });
    none(
        "Every package takes `publish` from the workspace, which says false",
        "the names of these packages belong to others in the public registry",
        &open.map(|file| file.path).collect::<Vec<_>>(),
    );
}
