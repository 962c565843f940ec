//! Tests of what only files can do: restarts, torn ends, damage, kills, a full disk.

mod child;
mod ends;
mod segments;
