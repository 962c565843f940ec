//! Reading a log, from a cursor on, as far as it is durable.

use std::{fs, io, path::Path};

use domain::ids::DeploymentId;

use super::{
    extents::Extents,
    frame::Frame,
    segment::{self, Frames, Step},
};
use crate::logs::{
    entry::{LogCursor, LogEntry, Place},
    error::LogError,
};

/// Bytes of text after which no more entries are read at once.
const PAGE_BYTES: usize = 1024 * 1024;

/// A segment, and how much of it may be read.
struct Part {
    first: u64,
    bytes: u64,
    /// Whether what follows may be a write that a crash has cut short.
    may_be_torn: bool,
}

/// Entries behind the cursor.
pub(super) fn read(
    logs: &Path,
    extents: &Extents,
    deployment: DeploymentId,
    cursor: LogCursor,
    limit: usize,
) -> Result<(Vec<LogEntry>, LogCursor), LogError> {
    let folder = segment::folder(logs, deployment);
    let parts = parts(&folder, extents, deployment).map_err(LogError::unavailable)?;
    let mut page = Page { deployment, entries: Vec::new(), bytes: 0, limit, cursor };
    // The last segment that begins at or before the entry that is wanted.
    let wanted = cursor.after.saturating_add(1);
    let from = parts.partition_point(|part| part.first <= wanted).saturating_sub(1);
    for part in &parts[from..] {
        if page.is_full() {
            break;
        }
        page.read_part(&folder, part)?;
    }
    Ok((page.entries, page.cursor))
}

fn parts(folder: &Path, extents: &Extents, deployment: DeploymentId) -> io::Result<Vec<Part>> {
    // Locked while the files are looked at: a log that is not open now is not written to until this is done.
    let open = extents.lock();
    let extent = open.get(&deployment);
    let mut parts = Vec::new();
    for first in segment::list(folder)? {
        let bytes = match extent {
            Some(extent) if extent.last == Some(first) => extent.bytes,
            Some(extent) if extent.last.is_none_or(|last| first > last) => break,
            _ => fs::metadata(segment::path(folder, first))?.len(),
        };
        parts.push(Part { first, bytes, may_be_torn: false });
    }
    if let (None, Some(last)) = (extent, parts.last_mut()) {
        last.may_be_torn = true;
    }
    Ok(parts)
}

struct Page {
    deployment: DeploymentId,
    entries: Vec<LogEntry>,
    bytes: usize,
    limit: usize,
    cursor: LogCursor,
}

impl Page {
    fn is_full(&self) -> bool {
        self.entries.len() >= self.limit || self.bytes >= PAGE_BYTES
    }

    fn read_part(&mut self, folder: &Path, part: &Part) -> Result<(), LogError> {
        let offset = match self.cursor.place {
            Some(Place { segment, offset }) if segment == part.first && offset <= part.bytes => offset,
            _ => 0,
        };
        let mut frames = Frames::open(&segment::path(folder, part.first), offset, part.bytes).map_err(LogError::unavailable)?;
        while !self.is_full() {
            let start = frames.offset;
            match frames.advance().map_err(LogError::unavailable)? {
                Step::End => return Ok(()),
                Step::Torn if part.may_be_torn => return Ok(()),
                Step::Torn => return Err(self.corrupt()),
                Step::Frame => {}
            }
            let frame = Frame::open(self.deployment, frames.payload()).ok_or_else(|| self.corrupt())?;
            let end = frame.end;
            if end > self.cursor.after.saturating_add(1) {
                self.take(frame.entries().ok_or_else(|| self.corrupt())?);
            }
            let offset = if self.cursor.after.saturating_add(1) >= end { frames.offset } else { start };
            self.cursor.place = Some(Place { segment: part.first, offset });
        }
        Ok(())
    }

    fn take(&mut self, entries: Vec<LogEntry>) {
        for entry in entries {
            if entry.seq <= self.cursor.after {
                continue;
            }
            if self.is_full() {
                return;
            }
            self.bytes += entry.line.text.len();
            self.cursor.after = entry.seq;
            self.entries.push(entry);
        }
    }

    fn corrupt(&self) -> LogError {
        LogError::Corrupt { after: self.cursor.after }
    }
}
