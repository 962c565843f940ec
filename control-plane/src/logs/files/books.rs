//! The writer's books of one deployment's log: where it ends, and which line of each attempt comes next.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use domain::{ids::DeploymentId, task::TaskKey};
use runtime::files::create_private_dir;

use super::{
    extents::Extent,
    frame::{self, Frame},
    segment::{self, Frames, Step},
};
use crate::logs::{
    accept::{accept, next_after},
    entry::TaskLines,
    error::LogError,
};

/// A segment that is longer takes nothing more.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;

struct Last {
    first: u64,
    file: File,
    bytes: u64,
}

pub(super) struct Books {
    folder: PathBuf,
    last: Option<Last>,
    next_entry: u64,
    next_line: HashMap<TaskKey, u64>,
    /// Taken, not written.
    pending: Vec<u8>,
}

impl Books {
    /// Opens a log. What a crash has left unfinished at its end is cut off: nobody was told that it was kept.
    pub(super) fn open(logs: &Path, deployment: DeploymentId) -> io::Result<Self> {
        let folder = segment::folder(logs, deployment);
        let mut books = Self { folder, last: None, next_entry: 1, next_line: HashMap::new(), pending: Vec::new() };
        let segments = segment::list(&books.folder)?;
        let last = segments.last().copied();
        for first in segments {
            books.read_segment(deployment, first, Some(first) == last)?;
        }
        Ok(books)
    }

    fn read_segment(&mut self, deployment: DeploymentId, first: u64, is_last: bool) -> io::Result<()> {
        let path = segment::path(&self.folder, first);
        let bytes = std::fs::metadata(&path)?.len();
        let mut frames = Frames::open(&path, 0, bytes)?;
        self.next_entry = self.next_entry.max(first);
        let mut whole = 0;
        let step = loop {
            match frames.advance()? {
                Step::Frame => {}
                step => break step,
            }
            let frame = Frame::open(deployment, frames.payload());
            let Some((end, (task, line))) = frame.and_then(|frame| Some((frame.end, frame.next_line()?))) else {
                break Step::Torn;
            };
            self.next_entry = end;
            self.next_line.insert(task, line);
            whole = frames.offset;
        };
        if step == Step::Torn && !is_last {
            tracing::error!(%deployment, segment = first, after = whole, "a log is damaged: what follows in this file is lost");
        }
        if is_last {
            let file = OpenOptions::new().write(true).open(&path)?;
            if whole < bytes {
                tracing::warn!(%deployment, segment = first, bytes = bytes - whole, "an unfinished end of a log was cut off");
                file.set_len(whole)?;
            }
            // Whoever wrote this may have died before it was durable; from here on it counts as taken.
            file.sync_all()?;
            self.last = Some(Last { first, file, bytes: whole });
        }
        Ok(())
    }

    /// Takes the lines that are new; gives the number that is expected next. Nothing is written yet.
    pub(super) fn take(&mut self, TaskLines { task, step_name, lines, dropped }: TaskLines) -> Result<u64, LogError> {
        let expected = self.next_line.get(&task).copied().unwrap_or(0);
        let lines = accept(expected, lines, dropped)?;
        let next = next_after(expected, &lines);
        self.next_entry = frame::encode(&mut self.pending, task, &step_name, self.next_entry, &lines);
        self.next_line.insert(task, next);
        Ok(next)
    }

    /// Makes what was taken durable. After an error these books are not to be used any more: the log is to be opened again.
    pub(super) fn write(&mut self, first: u64) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.last.as_ref().is_none_or(|last| last.bytes >= SEGMENT_BYTES) {
            self.last = Some(self.begin_segment(first)?);
        }
        let Some(last) = &mut self.last else { return Ok(()) };
        let written = last.file.write_all_at(&self.pending, last.bytes).and_then(|()| last.file.sync_data());
        if let Err(error) = written {
            // What was written in part is not to be found when the log is opened again: after a failed sync, nobody knows
            // whether the disk has it.
            last.file.set_len(last.bytes).and_then(|()| last.file.sync_all())?;
            return Err(error);
        }
        last.bytes += self.pending.len() as u64;
        self.pending.clear();
        // One long line must not make every log's buffer long for ever.
        self.pending.shrink_to(SEGMENT_BYTES as usize);
        Ok(())
    }

    /// The number of the entry that is written next.
    pub(super) fn next_entry(&self) -> u64 {
        self.next_entry
    }

    /// What is durable.
    pub(super) fn extent(&self) -> Extent {
        self.last.as_ref().map_or_else(Extent::default, |last| Extent { last: Some(last.first), bytes: last.bytes })
    }

    fn begin_segment(&self, first: u64) -> io::Result<Last> {
        create_private_dir(&self.folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(segment::path(&self.folder, first))?;
        // The names, too, have to outlast a power cut.
        File::open(&self.folder)?.sync_all()?;
        if self.last.is_none()
            && let Some(logs) = self.folder.parent()
        {
            File::open(logs)?.sync_all()?;
        }
        Ok(Last { first, file, bytes: 0 })
    }
}
