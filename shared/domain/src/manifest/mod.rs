//! Resources as documents.
