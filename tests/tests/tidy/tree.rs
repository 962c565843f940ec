//! The repository's own files, as text, and where a file's tests begin.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that nobody wrote by hand.
const SKIPPED: [&str; 6] = ["target", ".git", "node_modules", "__pycache__", ".pytest_cache", ".venv"];

/// A file of the repository.
pub struct SourceFile {
    /// Its path from the repository's root.
    pub path: String,
    /// Its text; none if it is not UTF-8 text.
    pub text: Option<String>,
}

impl SourceFile {
    /// Its text, empty if it has none.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is test.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.starts_with("tests/")
            || self.path.split('/').any(|folder| folder == "tests" || folder.ends_with("_tests"))
            || matches!(name, "tests.rs" | "test.rs")
            || name.ends_with("_tests.rs")
    }

    /// The lines in front of its inner tests.
    pub fn lines_without_tests(&self) -> impl Iterator<Item = (usize, &str)> {
        let text = self.text();
        let end = ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(test)]\npub mod tests {"].iter().find_map(|start| text.find(start));
        numbered(&text[..end.unwrap_or(text.len())])
    }

    /// All its lines, numbered from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(self.text())
    }
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository").to_owned()
}

/// Every file of the repository, by path.
pub fn files() -> Vec<SourceFile> {
    let root = root();
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        files.iter().filter(|file| file.is_rust()).count() > 50,
        "the walk found hardly anything: these rules would hold of nothing"
    );
    files
}

/// Every Rust file of the repository, by path.
pub fn rust() -> Vec<SourceFile> {
    files().into_iter().filter(SourceFile::is_rust).collect()
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository can be read") {
        let entry = entry.expect("an entry of a folder can be read");
        let (path, kind) = (entry.path(), entry.file_type().expect("an entry has a type"));
        if kind.is_dir() {
            if !SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                walk(root, &path, files);
            }
        } else if kind.is_file() {
            // A file that another test or an editor has just removed is no file of the repository.
            let Ok(bytes) = fs::read(&path) else { continue };
            let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
            let path = path.strip_prefix(root).expect("it lies below the root").to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text });
        }
    }
}
