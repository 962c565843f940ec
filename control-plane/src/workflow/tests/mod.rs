//! Plans and checks of whole sets of documents, beginning with the examples that are handed out.

mod applied;
mod examples;
mod expressions;
mod fixture;
mod planned;
mod refused;
mod variables;
mod verify;
