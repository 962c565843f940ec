//! The documents that are kept: looked up, listed, compiled into plans, and applied all or none.
//!
//! ```text
//! Resource   <application>/<kind>/<name>   text, generation, who and when
//! Meta       documents                     a number that every apply raises
//! ```
//!
//! The number does two things. An apply expects it as it was when the documents were read, so that what was checked together is kept
//! together: of two that come at once, the later one looks again. And the documents that were read and parsed stay in memory for as
//! long as it stays the same, so that starting a deployment costs one small read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    ids::DeploymentId,
    limits::DOCUMENT_BYTES,
    manifest::{Diagnostic, Kind, Manifest, ResourceKey, parse, parse_one},
};
use engine::Plan;
use serde::{Deserialize, Serialize};

use crate::{
    store::{ChangeSet, KeyRange, Store, StoreError, Table, format},
    workflow::{Placed, Resources, StartRequest, check_documents, compile, infrastructure},
};

/// Documents read at once.
const MOST: usize = 100_000;
/// How often an apply looks again after somebody else's.
const CONFLICTS: usize = 5;
/// The key of the number that every apply raises.
const NUMBER: &[u8] = b"documents";

/// Why documents can't be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// More than is taken at once.
    #[error("{0} bytes of documents; at most {DOCUMENT_BYTES} are taken at once")]
    TooLarge(usize),
    /// There is no such document.
    #[error("there is no {0}")]
    NotFound(ResourceKey),
    /// They do not say what is asked for.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Findings(Vec<Diagnostic>),
    /// The store.
    #[error("documents cannot be read or kept now: {0}")]
    Store(#[from] StoreError),
}

/// A document as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDocument {
    /// What names it.
    pub key: ResourceKey,
    /// How often it was changed, from 1.
    pub generation: u64,
    /// When it was last changed, milliseconds since 1970-01-01 UTC.
    pub changed_at_ms: i64,
    /// By whom.
    pub changed_by: String,
    /// Its text, as it was applied.
    pub text: Arc<str>,
}

/// What an apply did to one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedDocument {
    /// What names it.
    pub key: ResourceKey,
    /// `created`, `changed` or `unchanged`.
    pub change: &'static str,
    /// How often it was changed now, from 1.
    pub generation: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    generation: u64,
    changed_at_ms: i64,
    changed_by: String,
    text: Arc<str>,
}

/// The documents that are kept.
pub struct Catalogue {
    store: Arc<dyn Store>,
    read: Mutex<Arc<Snapshot>>,
}

/// All documents, as they were when the number was read, or later.
#[derive(Default)]
struct Snapshot {
    number: u64,
    kept: BTreeMap<ResourceKey, KeptDocument>,
    parsed: Resources,
    /// What is wrong with documents that an older Segue took and this one does not.
    broken: Vec<Diagnostic>,
}

impl Catalogue {
    /// The documents in a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, read: Mutex::default() }
    }

    /// One document.
    ///
    /// # Errors
    /// When there is none, or the store can't be read.
    pub async fn get(&self, key: &ResourceKey) -> Result<KeptDocument, CatalogueError> {
        let snapshot = self.snapshot().await?;
        snapshot.kept.get(key).cloned().ok_or_else(|| CatalogueError::NotFound(key.clone()))
    }

    /// The documents of a kind and an application, or of all. An application is listed with what belongs to it.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn list(&self, kind: Option<Kind>, application: Option<&str>) -> Result<Vec<KeptDocument>, CatalogueError> {
        let snapshot = self.snapshot().await?;
        let wanted = |key: &ResourceKey| {
            kind.is_none_or(|kind| key.kind == kind) && application.is_none_or(|application| belongs_to(key) == application)
        };
        Ok(snapshot.kept.values().filter(|document| wanted(&document.key)).cloned().collect())
    }

    /// The plan of a deployment, or everything that is wrong with the request or with the documents it leads to.
    ///
    /// # Errors
    /// When the store can't be read.
    pub async fn compile(
        &self,
        request: &StartRequest,
        deployment: DeploymentId,
    ) -> Result<Result<Plan, Vec<Diagnostic>>, CatalogueError> {
        let snapshot = self.snapshot().await?;
        Ok(compile(&snapshot.parsed, request, deployment).map_err(|findings| snapshot.with_broken(findings)))
    }

    /// An infrastructure without a deployment, for discovery.
    ///
    /// # Errors
    /// When there is none, it can't be known without a deployment, or the store can't be read.
    pub async fn infrastructure(&self, application: &str, name: &str) -> Result<Placed, CatalogueError> {
        let snapshot = self.snapshot().await?;
        let found = infrastructure(&snapshot.parsed, application, name);
        found.map_err(|findings| CatalogueError::Findings(snapshot.with_broken(findings)))
    }

    /// Keeps all documents of these files (name and text), or none if anything is wrong with one of them. With `dry_run`
    /// everything is checked and nothing is kept.
    ///
    /// # Errors
    /// When the store can't be read or takes nothing.
    pub async fn apply(
        &self,
        files: &[(String, String)],
        dry_run: bool,
        who: &str,
        now_ms: i64,
    ) -> Result<Result<Vec<AppliedDocument>, Vec<Diagnostic>>, CatalogueError> {
        let bytes = files.iter().map(|(_, text)| text.len()).sum();
        if bytes > DOCUMENT_BYTES {
            return Err(CatalogueError::TooLarge(bytes));
        }
        let (mut manifests, mut unreadable) = (Vec::new(), Vec::new());
        for (file, text) in files {
            let parsed = parse(file, text);
            manifests.extend(parsed.manifests);
            unreadable.extend(parsed.diagnostics);
        }
        let mut conflicts = 0;
        loop {
            let before = self.snapshot().await?;
            let mut findings = unreadable.clone();
            findings.extend(check_documents(&manifests, &before.parsed));
            if !findings.is_empty() {
                return Ok(Err(findings));
            }
            let (applied, change) = before.with(&manifests, who, now_ms)?;
            if dry_run || change.is_empty() {
                return Ok(Ok(applied));
            }
            match self.store.commit(change).await {
                Ok(()) => return Ok(Ok(applied)),
                Err(StoreError::Conflict { .. }) if conflicts < CONFLICTS => conflicts += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All documents as they are now.
    async fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let number = self.store.get(Table::Meta, NUMBER).await?;
        let number = number.map_or(Ok(0), |number| format::decode(&number))?;
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.number == number {
            return Ok(known);
        }
        // Read after the number: what is newer than it is read again next time.
        let rows = self.store.scan(Table::Resource, KeyRange::all(), MOST).await?;
        let mut snapshot = Snapshot { number, ..Snapshot::default() };
        for (key, value) in rows {
            let Some(key) = read_key(&key) else { continue };
            let Record { generation, changed_at_ms, changed_by, text } = format::decode(&value)?;
            match parse_one(&key.to_string(), &text) {
                Ok(manifest) => snapshot.parsed.insert(manifest),
                Err(findings) => snapshot.broken.extend(findings),
            }
            snapshot.kept.insert(key.clone(), KeptDocument { key, generation, changed_at_ms, changed_by, text });
        }
        let snapshot = Arc::new(snapshot);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        Ok(snapshot)
    }
}

impl Snapshot {
    /// What may be the reason for findings, too.
    fn with_broken(&self, mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        findings.extend(self.broken.iter().cloned());
        findings
    }

    /// What applying these documents writes, and what becomes of each by it.
    fn with(&self, manifests: &[Manifest], who: &str, now_ms: i64) -> Result<(Vec<AppliedDocument>, ChangeSet), StoreError> {
        let (mut applied, mut change) = (Vec::with_capacity(manifests.len()), ChangeSet::new());
        for manifest in manifests {
            let known = self.kept.get(&manifest.key);
            if let Some(known) = known.filter(|known| &*known.text == manifest.text()) {
                applied.push(AppliedDocument { key: known.key.clone(), change: "unchanged", generation: known.generation });
                continue;
            }
            let generation = known.map_or(1, |known| known.generation + 1);
            let text = manifest.text().into();
            let record = Record { generation, changed_at_ms: now_ms, changed_by: who.to_owned(), text };
            change.put(Table::Resource, stored_key(&manifest.key), format::encode(&record)?);
            let did = if known.is_some() { "changed" } else { "created" };
            applied.push(AppliedDocument { key: manifest.key.clone(), change: did, generation });
        }
        if !change.is_empty() {
            match self.number {
                0 => change.expect_absent(Table::Meta, NUMBER),
                number => change.expect_value(Table::Meta, NUMBER, format::encode(&number)?),
            };
            change.put(Table::Meta, NUMBER, format::encode(&(self.number + 1))?);
        }
        Ok((applied, change))
    }
}

/// The application that a document belongs to; an application belongs to itself.
fn belongs_to(key: &ResourceKey) -> &str {
    if key.kind == Kind::Application { &key.name } else { &key.application }
}

fn stored_key(key: &ResourceKey) -> Vec<u8> {
    format!("{}/{}/{}", belongs_to(key), key.kind.word(), key.name).into_bytes()
}

fn read_key(key: &[u8]) -> Option<ResourceKey> {
    let mut parts = std::str::from_utf8(key).ok()?.splitn(3, '/');
    let (application, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(ResourceKey::new(Kind::parse(kind)?, application, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    const APPLICATION: &str = "kind: Application\nname: shop\nspec: {}\n";
    const ENVIRONMENT: &str = "kind: Environment\nname: prod\napplication: shop\nspec:\n  type: production\n";

    fn files(texts: &[&str]) -> Vec<(String, String)> {
        texts.iter().map(|text| ("f.yaml".to_owned(), (*text).to_owned())).collect()
    }

    async fn changes(catalogue: &Catalogue, texts: &[&str]) -> Vec<(&'static str, u64)> {
        let applied = catalogue.apply(&files(texts), false, "me", 5).await.expect("the store works").expect("nothing is wrong");
        applied.into_iter().map(|applied| (applied.change, applied.generation)).collect()
    }

    #[tokio::test]
    async fn all_or_none_and_generations_count_changes() {
        let store = Arc::new(MemoryStore::new());
        let catalogue = Catalogue::new(store.clone());
        let findings = catalogue.apply(&files(&[ENVIRONMENT]), false, "me", 5).await.expect("the store works");
        assert!(findings.expect_err("no application")[0].message.contains("no application"));
        let findings = catalogue.apply(&files(&[APPLICATION, "kind: Nonsense\n"]), false, "me", 5).await;
        assert_eq!(findings.expect("the store works").expect_err("one is wrong").len(), 1);
        let dry = catalogue.apply(&files(&[APPLICATION]), true, "me", 5).await.expect("the store works");
        assert_eq!(dry.expect("nothing is wrong").len(), 1);
        assert!(catalogue.list(None, None).await.expect("lists").is_empty(), "nothing was kept");
        assert_eq!(changes(&catalogue, &[APPLICATION, ENVIRONMENT]).await, [("created", 1), ("created", 1)]);
        let nonproduction = ENVIRONMENT.replace("production", "nonProduction");
        assert_eq!(changes(&catalogue, &[APPLICATION, &nonproduction]).await, [("unchanged", 1), ("changed", 2)]);
        let other = Catalogue::new(store);
        let key = ResourceKey::new(Kind::Environment, "shop", "prod");
        let kept = other.get(&key).await.expect("is kept");
        assert_eq!((kept.generation, kept.changed_by.as_str(), kept.changed_at_ms), (2, "me", 5));
        assert_eq!(kept.text.trim(), nonproduction.trim());
        assert_eq!(other.list(Some(Kind::Environment), None).await.expect("lists").len(), 1);
        assert_eq!(other.list(None, Some("shop")).await.expect("lists").len(), 2);
        assert!(other.list(None, Some("sho")).await.expect("lists").is_empty());
        let missing = other.get(&ResourceKey::new(Kind::Service, "shop", "x")).await.expect_err("there is none");
        assert_eq!(missing.to_string(), "there is no service shop/x");
    }

    #[tokio::test]
    async fn a_change_by_somebody_else_is_seen_and_not_overwritten() {
        let store = Arc::new(MemoryStore::new());
        let (one, two) = (Catalogue::new(store.clone()), Catalogue::new(store));
        assert_eq!(changes(&one, &[APPLICATION]).await, [("created", 1)]);
        assert_eq!(changes(&two, &[ENVIRONMENT]).await, [("created", 1)]);
        assert_eq!(one.list(None, None).await.expect("lists").len(), 2);
        // What one has in memory is old now: its apply is refused by the store, and looks again.
        let nonproduction = ENVIRONMENT.replace("production", "nonProduction");
        assert_eq!(changes(&two, &[&nonproduction]).await, [("changed", 2)]);
        assert_eq!(changes(&one, &[ENVIRONMENT]).await, [("changed", 3)]);
    }
}
