//! Secrets that `${secrets.NAME}` stands for: files in a directory of the delegate's, one file a secret. Their values never leave
//! this process except to AWS, inside the request that the user wrote them into.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use domain::failure::{Failure, FailureKind};

/// The largest file that counts as a secret, in bytes.
const MOST_BYTES: u64 = 64 * 1024;
/// Shorter values are not masked: they would blot out ordinary text and protect nothing.
const SHORTEST_MASKED: usize = 4;
const MASK: &str = "***";

/// Where secrets are read from.
#[derive(Debug, Clone, Default)]
pub struct SecretsDirectory {
    directory: Option<PathBuf>,
}

impl SecretsDirectory {
    /// Secrets from this directory, or none at all.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    /// Reads every secret there is now, so that a secret that was replaced is used by the next step. A file's name is the
    /// secret's; one line break at the end is not part of it. Hidden files, directories and files that are not text or larger
    /// than 64 KiB are left out.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub async fn read(&self) -> Result<Secrets, Failure> {
        let Some(directory) = &self.directory else { return Ok(Secrets::default()) };
        let unreadable = |error: std::io::Error| {
            Failure::refused(
                FailureKind::Application,
                format!("The delegate's secrets directory {} can't be read: {error}", directory.display()),
            )
            .hint("Make the directory readable for the delegate, or start it without --secrets-dir.")
        };
        let mut values = BTreeMap::new();
        let mut entries = tokio::fs::read_dir(directory).await.map_err(unreadable)?;
        while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Metadata of the file that a link points to: mounted secrets are links.
            let Ok(metadata) = tokio::fs::metadata(entry.path()).await else { continue };
            if name.starts_with('.') || !metadata.is_file() || metadata.len() > MOST_BYTES {
                continue;
            }
            let Ok(text) = tokio::fs::read_to_string(entry.path()).await else { continue };
            let value = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
            values.insert(name, value.to_owned());
        }
        Ok(Secrets::new(values))
    }
}

/// Secret values by name. Shown as the names alone.
#[derive(Clone, Default)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    masked: Vec<String>,
}

impl Secrets {
    /// Secrets with these values.
    pub fn new(values: BTreeMap<String, String>) -> Self {
        let mut masked: Vec<String> = values
            .values()
            .flat_map(|value| {
                // AWS may echo a value inside JSON; a log shows it line by line.
                let quoted = serde_json::to_string(value).unwrap_or_default();
                let quoted = quoted.trim_matches('"').to_owned();
                [value.clone(), quoted].into_iter().chain(value.lines().map(str::to_owned)).collect::<Vec<_>>()
            })
            .filter(|text| text.len() >= SHORTEST_MASKED)
            .collect();
        // Longest first, so that a secret which contains another one is masked as a whole.
        masked.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        masked.dedup();
        Self { values, masked }
    }

    /// The values by name, for resolving expressions.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// `text` with every secret value of at least 4 bytes replaced by `***`.
    pub fn mask(&self, text: &str) -> String {
        self.masked.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), MASK) } else { text }
        })
    }

    /// The failure with every secret value in its texts replaced.
    pub fn mask_failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.mask(&failure.message);
        failure.hint = failure.hint.map(|hint| self.mask(&hint));
        if let Some(answer) = &mut failure.answer {
            answer.message = answer.message.take().map(|message| self.mask(&message));
        }
        if let Some(dossier) = &mut failure.dossier {
            dossier.map_texts(|text| self.mask(text));
        }
        failure
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_longest_first_and_in_their_quoted_form() {
        let secrets = Secrets::new(BTreeMap::from([
            ("short".to_owned(), "s3cret".to_owned()),
            ("long".to_owned(), "s3cret-and-more".to_owned()),
            ("key".to_owned(), "line one\nline two".to_owned()),
            ("pin".to_owned(), "12".to_owned()),
        ]));
        assert_eq!(secrets.mask("a s3cret-and-more b s3cret c"), "a *** b *** c");
        assert_eq!(secrets.mask(r#"{"key":"line one\nline two"}"#), r#"{"key":"***"}"#);
        assert_eq!(secrets.mask("only line two of it"), "only *** of it");
        assert_eq!(secrets.mask("12 tasks"), "12 tasks");
        assert_eq!(format!("{secrets:?}"), r#"{"key", "long", "pin", "short"}"#);
    }

    #[tokio::test]
    async fn a_file_is_a_secret_without_its_last_line_break() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("db"), "p4ss word\n").expect("written");
        std::fs::write(directory.path().join(".hidden"), "x").expect("written");
        std::fs::create_dir(directory.path().join("folder")).expect("made");
        let secrets = SecretsDirectory::new(Some(directory.path().into())).read().await.expect("readable");
        assert_eq!(secrets.values(), &BTreeMap::from([("db".to_owned(), "p4ss word".to_owned())]));
        assert!(SecretsDirectory::default().read().await.expect("none").values().is_empty());
        let missing = SecretsDirectory::new(Some(directory.path().join("nowhere")));
        assert!(missing.read().await.expect_err("missing").message.contains("nowhere"));
    }
}
