//! Tests of what only a disk can do: processes that are killed, power cuts, full disks, leftovers.

mod bench;
mod child;
mod full_disk;
mod kill;
mod leftovers;
mod power;
