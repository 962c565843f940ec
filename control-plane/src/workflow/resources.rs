//! The documents that are known, by their keys: what is stored, and over it what is being applied.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    manifest::{Kind, Manifest, ResourceKey},
    suggestion::nearest,
};

/// Documents by their keys. A copy shares the documents.
#[derive(Debug, Clone, Default)]
pub struct Resources {
    documents: BTreeMap<ResourceKey, Arc<Manifest>>,
}

impl Resources {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document; one of the same key is replaced.
    pub fn insert(&mut self, manifest: Manifest) {
        self.documents.insert(manifest.key.clone(), Arc::new(manifest));
    }

    /// The document of that key. An application has no application of its own: what is given is ignored.
    pub fn get(&self, kind: Kind, application: &str, name: &str) -> Option<Arc<Manifest>> {
        self.documents.get(&ResourceKey::new(kind, application, name)).cloned()
    }

    /// The names of a kind in an application (for applications: all), in order.
    pub fn names<'a>(&'a self, kind: Kind, application: &'a str) -> impl Iterator<Item = &'a str> {
        let of = move |key: &&ResourceKey| key.kind == kind && (kind == Kind::Application || key.application == application);
        self.documents.keys().filter(of).map(|key| key.name.as_str())
    }

    /// Why a name means nothing, and what it may have meant.
    pub(super) fn missing(&self, kind: Kind, application: &str, name: &str) -> (String, String) {
        let within = if kind == Kind::Application { String::new() } else { format!(" in application {application:?}") };
        let cut: String = name.chars().take(80).collect();
        let message = format!("there is no {} {cut:?}{within}", kind.word());
        let names: Vec<&str> = self.names(kind, application).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if names.is_empty() => format!("there is none yet: apply one with kind: {kind}"),
            None => format!("known: {}", names.join(", ")),
        };
        (message, hint)
    }
}
