//! Lines of steps' logs on their way to the control plane: kept in bounded memory until they are acknowledged ([`buffer`]), shipped
//! in batches on a stream of their own ([`shipper`]), cut to what a line may be ([`line`]).

pub mod buffer;
pub mod line;
pub mod shared;
pub mod shipper;

pub use buffer::LogBuffer;
pub use shared::{AttemptLog, Logs};
