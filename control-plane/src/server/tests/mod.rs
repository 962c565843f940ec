//! The server as a whole, in this process, on the memory store, spoken to over real TLS sockets by delegates that do nothing but
//! what a test says.

mod certificates;
mod choice;
mod delegate;
mod documents;
mod door;
mod hostile;
mod leases;
mod restart;
mod slowness;
mod tasks;
mod world;
