//! Tests of what only a disk can do.
