//! A frame: some lines of one attempt, as they stand in a file.
//!
//! ```text
//! length of the payload: u32 | checksum over length and payload: 8 bytes of BLAKE3 | payload
//! payload: format: u8 | step: u32 | direction: u8 | attempt: u32 | first entry: u64 | length of name: u16 | name | lines: u32
//!          each line: number: u64 | time: i64 | level: u8 | length of text: u32 | text
//! ```
//!
//! Everything is little-endian. The checksum tells a torn write, and a damaged disk, from what was written.

use std::sync::Arc;

use domain::{
    ids::DeploymentId,
    log::{LogLevel, LogLine},
    task::{Direction, TaskKey},
};

use crate::logs::entry::LogEntry;

/// Length and checksum.
pub(super) const HEADER_BYTES: usize = 4 + CHECKSUM_BYTES;
/// The largest payload that is believed to be one.
pub(super) const PAYLOAD_BYTES: usize = 4 * 1024 * 1024;
/// A frame takes no more lines after this.
const FULL_BYTES: usize = 256 * 1024;
const CHECKSUM_BYTES: usize = 8;
const FORMAT: u8 = 1;

/// What is in front of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) payload_bytes: usize,
    checksum: [u8; CHECKSUM_BYTES],
}

impl Header {
    /// None: these bytes are no header.
    pub(super) fn read(bytes: [u8; HEADER_BYTES]) -> Option<Self> {
        let (length, checksum) = bytes.split_first_chunk::<4>()?;
        let payload_bytes = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let plausible = (1..=PAYLOAD_BYTES).contains(&payload_bytes);
        plausible.then_some(Self { payload_bytes, checksum: checksum.try_into().ok()? })
    }

    pub(super) fn matches(&self, payload: &[u8]) -> bool {
        payload.len() == self.payload_bytes && checksum(payload) == self.checksum
    }
}

/// Appends lines that begin with entry `first` to `out`, in as many frames as it takes. Gives the number of the next entry.
pub(super) fn encode(out: &mut Vec<u8>, task: TaskKey, step_name: &str, first: u64, lines: &[LogLine]) -> u64 {
    let mut first = first;
    let mut rest = lines;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|line| {
            let fits = bytes < FULL_BYTES;
            bytes += line.text.len();
            fits
        });
        let (now, later) = rest.split_at(fits.count());
        encode_frame(out, task, step_name, first, now);
        first += now.len() as u64;
        rest = later;
    }
    first
}

fn encode_frame(out: &mut Vec<u8>, task: TaskKey, step_name: &str, first: u64, lines: &[LogLine]) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    out.push(FORMAT);
    out.extend_from_slice(&task.step.to_le_bytes());
    out.push(match task.direction {
        Direction::Perform => 0,
        Direction::Undo => 1,
    });
    out.extend_from_slice(&task.attempt.to_le_bytes());
    out.extend_from_slice(&first.to_le_bytes());
    let name = &step_name.as_bytes()[..step_name.floor_char_boundary(usize::from(u16::MAX))];
    out.extend_from_slice(&(name.len() as u16).to_le_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(&(lines.len() as u32).to_le_bytes());
    for line in lines {
        out.extend_from_slice(&line.number.to_le_bytes());
        out.extend_from_slice(&line.at_ms.to_le_bytes());
        out.push(match line.level {
            LogLevel::Info => 0,
            LogLevel::Warn => 1,
            LogLevel::Error => 2,
        });
        out.extend_from_slice(&(line.text.len() as u32).to_le_bytes());
        out.extend_from_slice(line.text.as_bytes());
    }
    let payload = start + HEADER_BYTES;
    let length = ((out.len() - payload) as u32).to_le_bytes();
    let checksum = checksum(&out[payload..]);
    out[start..start + 4].copy_from_slice(&length);
    out[start + 4..payload].copy_from_slice(&checksum);
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(payload.len() as u32).to_le_bytes()).update(payload);
    let mut short = [0; CHECKSUM_BYTES];
    hasher.finalize_xof().fill(&mut short);
    short
}

/// A frame's payload, opened.
#[derive(Debug, Clone)]
pub(super) struct Frame<'a> {
    task: TaskKey,
    step_name: &'a str,
    /// Number of the first entry.
    pub(super) first: u64,
    /// Number of the entry behind the last.
    pub(super) end: u64,
    lines: u32,
    rest: Fields<'a>,
}

impl<'a> Frame<'a> {
    /// None: the payload is not one, although its checksum is right. Lines are looked at only when they are asked for.
    pub(super) fn open(deployment: DeploymentId, payload: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        if fields.u8()? != FORMAT {
            return None;
        }
        let step = fields.u32()?;
        let direction = match fields.u8()? {
            0 => Direction::Perform,
            1 => Direction::Undo,
            _ => return None,
        };
        let task = TaskKey { deployment, step, direction, attempt: fields.u32()? };
        let first = fields.u64()?;
        let name_bytes = fields.u16()?;
        let step_name = fields.text(usize::from(name_bytes))?;
        let lines = fields.u32()?;
        Some(Self { task, step_name, first, end: first.checked_add(u64::from(lines))?, lines, rest: fields })
    }

    /// The attempt, and the number of the line that follows the last in here.
    pub(super) fn next_line(self) -> Option<(TaskKey, u64)> {
        let task = self.task;
        let last = self.entries()?.pop()?;
        Some((task, last.line.number.checked_add(1)?))
    }

    /// The entries. None: the payload is not one.
    pub(super) fn entries(self) -> Option<Vec<LogEntry>> {
        let Self { task, step_name, first, mut rest, lines, .. } = self;
        let step_name: Arc<str> = step_name.into();
        let mut entries = Vec::new();
        for position in 0..u64::from(lines) {
            let number = rest.u64()?;
            let at_ms = rest.u64()?.cast_signed();
            let level = match rest.u8()? {
                0 => LogLevel::Info,
                1 => LogLevel::Warn,
                2 => LogLevel::Error,
                _ => return None,
            };
            let length = usize::try_from(rest.u32()?).ok()?;
            let line = LogLine { number, at_ms, level, text: rest.text(length)?.to_owned() };
            entries.push(LogEntry { seq: first + position, task, step_name: step_name.clone(), line });
        }
        rest.0.is_empty().then_some(entries)
    }
}

#[derive(Debug, Clone)]
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn task() -> TaskKey {
        TaskKey { deployment: DeploymentId::new(Uuid::from_u128(1)), step: 3, direction: Direction::Undo, attempt: 2 }
    }

    fn decode(mut bytes: &[u8]) -> Option<Vec<LogEntry>> {
        let mut entries = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() {
            let header = Header::read(*header)?;
            let (payload, rest) = rest.split_at_checked(header.payload_bytes)?;
            if !header.matches(payload) {
                return None;
            }
            let frame = Frame::open(task().deployment, payload)?;
            let (first, end) = (frame.first, frame.end);
            let read = frame.entries()?;
            assert_eq!((read[0].seq, read[read.len() - 1].seq + 1), (first, end));
            entries.extend(read);
            bytes = rest;
        }
        bytes.is_empty().then_some(entries)
    }

    #[test]
    fn lines_come_back_from_as_many_frames_as_they_need() {
        let levels = [LogLevel::Info, LogLevel::Warn, LogLevel::Error];
        let line = |number: u64| LogLine {
            number,
            at_ms: -5,
            level: levels[(number % 3) as usize],
            text: format!("ü{number}").repeat(5000),
        };
        let lines: Vec<_> = (10..100).map(line).collect();
        let mut bytes = Vec::new();
        assert_eq!(encode(&mut bytes, task(), "Swap Target Groups", 7, &lines), 97);
        let entries = decode(&bytes).expect("whole frames");
        assert_eq!(entries.iter().map(|entry| entry.line.clone()).collect::<Vec<_>>(), lines);
        assert!(entries.iter().all(|entry| entry.task == task() && &*entry.step_name == "Swap Target Groups"));
        assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (7..97).collect::<Vec<_>>());
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let lines = [LogLine { number: 0, at_ms: 1, level: LogLevel::Info, text: "hello".into() }];
        let mut bytes = Vec::new();
        encode(&mut bytes, task(), "s", 1, &lines);
        assert!(decode(&bytes).is_some());
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[position] ^= 1 << bit;
                assert!(decode(&damaged).is_none(), "byte {position}, bit {bit}");
            }
            assert!(decode(&bytes[..position]).is_none_or(|entries| entries.is_empty() && position == 0), "cut at {position}");
        }
    }
}
