//! The files of one deployment: their names, and going through their frames.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use domain::ids::DeploymentId;

use super::frame::{HEADER_BYTES, Header};

const SUFFIX: &str = ".log";
const READ_AHEAD: usize = 256 * 1024;

/// A deployment's folder.
pub(super) fn folder(logs: &Path, deployment: DeploymentId) -> PathBuf {
    logs.join(deployment.to_string())
}

/// The segment that begins with entry `first`.
pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}{SUFFIX}"))
}

/// The first entries of all segments in a folder, in order. None if there is no folder.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        segments.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A whole frame: its payload is in the buffer.
    Frame,
    /// Nothing more.
    End,
    /// Something that is no frame.
    Torn,
}

/// Goes through the frames of a segment, up to a length.
pub(super) struct Frames {
    file: BufReader<File>,
    /// Bytes from the beginning of the file to the next frame.
    pub(super) offset: u64,
    end: u64,
    payload: Vec<u8>,
}

impl Frames {
    pub(super) fn open(path: &Path, offset: u64, end: u64) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(READ_AHEAD, File::open(path)?);
        if offset > 0 {
            file.seek(SeekFrom::Start(offset))?;
        }
        Ok(Self { file, offset, end, payload: Vec::new() })
    }

    /// Reads on.
    pub(super) fn advance(&mut self) -> io::Result<Step> {
        let left = self.end.saturating_sub(self.offset);
        if left == 0 {
            return Ok(Step::End);
        }
        let mut header = [0; HEADER_BYTES];
        if left < HEADER_BYTES as u64 || !self.fill(&mut header)? {
            return Ok(Step::Torn);
        }
        let Some(header) = Header::read(header) else { return Ok(Step::Torn) };
        let bytes = HEADER_BYTES as u64 + header.payload_bytes as u64;
        if bytes > left {
            return Ok(Step::Torn);
        }
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(header.payload_bytes, 0);
        let whole = self.fill(&mut payload)? && header.matches(&payload);
        self.payload = payload;
        if !whole {
            return Ok(Step::Torn);
        }
        self.offset += bytes;
        Ok(Step::Frame)
    }

    /// The payload of the frame that was read last.
    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether there was enough.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        match self.file.read_exact(buffer) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}
