//! Sizes that both ends of the wire and the store agree on.

/// The longest log line, in bytes; a longer one is cut and says so.
pub const LOG_LINE_BYTES: usize = 16 * 1024;
/// Lines in one shipped chunk, at most.
pub const LOG_CHUNK_LINES: usize = 500;
/// Bytes of text in one shipped chunk, at most.
pub const LOG_CHUNK_BYTES: usize = 256 * 1024;
/// The largest gRPC message either side accepts, in bytes.
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The largest set of documents that one `apply` takes, in bytes.
pub const DOCUMENT_BYTES: usize = 1024 * 1024;
/// The largest value that one checkpoint or output may have as JSON, in bytes (sled keeps larger values in files that it never
/// removes).
pub const CHECKPOINT_BYTES: usize = 48 * 1024;
