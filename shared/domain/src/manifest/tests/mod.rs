//! What documents say, what is wrong with them, and that nothing in them can do harm.

mod bounds;
mod ecs_documents;
mod examples;
mod fixture;
mod messages;
mod strategies;
mod verify;
mod workflows;
