//! The lines that are not acknowledged yet, by task attempt, in bounded memory. Pure: no IO, no clock.
//!
//! ```text
//! one attempt:   acknowledged | front .. sent: in flight | sent .. next: to be sent
//!                             ^ lines before it are gone, here or dropped for want of memory
//! ```
//! A line's number never changes, so that sending it twice is harmless. When memory runs out, the attempt that uses most loses its
//! oldest line: a flood drowns itself first. What was dropped is told with the next chunk (`dropped`), which puts it in the log.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    limits::{LOG_CHUNK_BYTES, LOG_CHUNK_LINES},
    log::LogLine,
    task::TaskKey,
};

/// Memory that a line takes beyond its text, about.
const LINE_OVERHEAD: usize = 64;
/// Bytes that may be on their way without an acknowledgement: below HTTP/2's window for a whole connection, so that a control plane
/// that is slow to store logs never keeps heartbeats back.
const IN_FLIGHT_BYTES: usize = 512 * 1024;

/// Lines of one attempt, ready to be shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The attempt.
    pub task: TaskKey,
    /// Lines that were dropped in front of these.
    pub dropped: u64,
    /// The lines; their numbers have no holes.
    pub lines: Vec<LogLine>,
}

/// See the module.
#[derive(Debug)]
pub struct LogBuffer {
    logs: BTreeMap<TaskKey, TaskLog>,
    /// Attempts with lines to be sent, each once, in the order of their turns.
    ready: VecDeque<TaskKey>,
    limit: usize,
    used: usize,
    in_flight: usize,
}

#[derive(Debug, Default)]
struct TaskLog {
    lines: VecDeque<LogLine>,
    /// Number of the next line to be written.
    next: u64,
    /// Number that the other side expects next, as it said.
    acknowledged: u64,
    /// Number that it will expect next if all that was sent arrives.
    sent: u64,
    used: usize,
    queued: bool,
    ended: bool,
    unwanted: bool,
}

impl TaskLog {
    /// Number of the oldest line that is here, or of the next one.
    fn front(&self) -> u64 {
        self.lines.front().map_or(self.next, |line| line.number)
    }

    fn unsent(&self) -> bool {
        self.sent.max(self.front()) < self.next
    }

    fn position(&self, number: u64) -> usize {
        usize::try_from(number.saturating_sub(self.front())).unwrap_or(usize::MAX).min(self.lines.len())
    }
}

fn size(line: &LogLine) -> usize {
    line.text.len() + LINE_OVERHEAD
}

impl LogBuffer {
    /// An empty buffer that uses about `limit` bytes at most.
    pub fn new(limit: usize) -> Self {
        Self { logs: BTreeMap::new(), ready: VecDeque::new(), limit, used: 0, in_flight: 0 }
    }

    /// Appends a line, which gets the attempt's next number.
    pub fn push(&mut self, task: TaskKey, line: LogLine) {
        let log = self.logs.entry(task).or_default();
        let line = LogLine { number: log.next, ..line };
        log.next += 1;
        if log.unwanted {
            return;
        }
        log.used += size(&line);
        self.used += size(&line);
        log.lines.push_back(line);
        if !log.queued {
            log.queued = true;
            self.ready.push_back(task);
        }
        while self.used > self.limit {
            self.drop_oldest();
        }
    }

    /// The attempt is over: when its lines are acknowledged, it is forgotten.
    pub fn end(&mut self, task: TaskKey) {
        if let Some(log) = self.logs.get_mut(&task) {
            log.ended = true;
            self.forget_if_done(task);
        }
    }

    /// Whether every line was acknowledged.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Whether lines of this attempt were not even sent yet.
    pub fn is_unsent(&self, task: TaskKey) -> bool {
        self.logs.get(&task).is_some_and(TaskLog::unsent)
    }

    /// Bytes in use, about.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Whether [`LogBuffer::take_chunk`] would give something.
    pub fn has_chunk(&self) -> bool {
        !self.ready.is_empty() && self.in_flight < IN_FLIGHT_BYTES
    }

    /// The next lines to be sent, which are in flight from now on. Attempts take turns. None while enough is in flight.
    pub fn take_chunk(&mut self) -> Option<Chunk> {
        if self.in_flight >= IN_FLIGHT_BYTES {
            return None;
        }
        while let Some(task) = self.ready.pop_front() {
            let Some(log) = self.logs.get_mut(&task) else { continue };
            log.queued = false;
            if !log.unsent() {
                continue;
            }
            let first = log.sent.max(log.front());
            let dropped = first - log.sent;
            let mut lines = Vec::new();
            let mut bytes = 0;
            for line in log.lines.range(log.position(first)..) {
                if lines.len() == LOG_CHUNK_LINES || (!lines.is_empty() && bytes + line.text.len() > LOG_CHUNK_BYTES) {
                    break;
                }
                bytes += line.text.len();
                self.in_flight += size(line);
                lines.push(line.clone());
            }
            log.sent = first + lines.len() as u64;
            if log.unsent() {
                log.queued = true;
                self.ready.push_back(task);
            }
            return Some(Chunk { task, dropped, lines });
        }
        None
    }

    /// The other side has made every line before `next` durable. An acknowledgement without progress while lines are in flight
    /// means that it refused them because it wants another number: they are sent again from there.
    pub fn acknowledge(&mut self, task: TaskKey, next: u64) {
        let Some(log) = self.logs.get_mut(&task) else { return };
        while log.lines.front().is_some_and(|line| line.number < next) {
            let Some(line) = log.lines.pop_front() else { break };
            log.used -= size(&line);
            self.used -= size(&line);
            if line.number < log.sent {
                self.in_flight -= size(&line);
            }
        }
        if next > log.acknowledged {
            log.acknowledged = next.min(log.next);
            log.sent = log.sent.max(log.acknowledged);
        } else if next < log.sent {
            log.acknowledged = next;
            self.send_again(task);
        }
        self.forget_if_done(task);
    }

    /// The other side wants nothing more of this attempt.
    pub fn reject(&mut self, task: TaskKey) {
        if let Some(log) = self.logs.get_mut(&task) {
            log.unwanted = true;
            let next = log.next;
            self.acknowledge(task, next);
        }
    }

    /// The stream was lost: everything that was not acknowledged is to be sent again.
    pub fn rewind(&mut self) {
        let tasks: Vec<_> = self.logs.keys().copied().collect();
        for task in tasks {
            self.send_again(task);
        }
    }

    /// Sends everything again that was not acknowledged.
    fn send_again(&mut self, task: TaskKey) {
        let Some(log) = self.logs.get_mut(&task) else { return };
        self.in_flight -= log.lines.range(..log.position(log.sent)).map(size).sum::<usize>();
        log.sent = log.acknowledged;
        if log.unsent() && !log.queued {
            log.queued = true;
            self.ready.push_back(task);
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, log)) = self.logs.iter_mut().max_by_key(|(_, log)| log.used) else { return };
        let Some(line) = log.lines.pop_front() else { return };
        log.used -= size(&line);
        self.used -= size(&line);
        if line.number < log.sent {
            self.in_flight -= size(&line);
        }
    }

    fn forget_if_done(&mut self, task: TaskKey) {
        if self.logs.get(&task).is_some_and(|log| log.ended && log.lines.is_empty()) {
            self.logs.remove(&task);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{ids::DeploymentId, log::LogLevel, task::Direction};
    use uuid::Uuid;

    use super::*;

    fn task(step: u32) -> TaskKey {
        TaskKey { deployment: DeploymentId::new(Uuid::from_u128(1)), step, direction: Direction::Perform, attempt: 1 }
    }

    fn line(text: &str) -> LogLine {
        LogLine { number: 0, at_ms: 1, level: LogLevel::Info, text: text.to_owned() }
    }

    fn numbers(chunk: Option<Chunk>) -> (u32, u64, Vec<u64>) {
        let chunk = chunk.expect("a chunk");
        (chunk.task.step, chunk.dropped, chunk.lines.iter().map(|line| line.number).collect())
    }

    #[test]
    fn lines_stay_until_acknowledged_and_are_sent_again_after_a_loss() {
        let mut buffer = LogBuffer::new(1 << 20);
        for text in ["a", "b", "c"] {
            buffer.push(task(0), line(text));
        }
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![0, 1, 2]));
        assert_eq!(buffer.take_chunk(), None);
        assert!(!buffer.is_unsent(task(0)));
        buffer.push(task(0), line("d"));
        assert!(buffer.is_unsent(task(0)) && !buffer.is_unsent(task(1)));
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![3]));
        buffer.acknowledge(task(0), 2);
        buffer.rewind();
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![2, 3]));
        buffer.end(task(0));
        assert!(!buffer.is_empty());
        buffer.acknowledge(task(0), 4);
        assert!(buffer.is_empty() && buffer.logs.is_empty());
        assert_eq!((buffer.used, buffer.in_flight), (0, 0));
    }

    #[test]
    fn numbers_go_on_after_everything_was_acknowledged() {
        let mut buffer = LogBuffer::new(1 << 20);
        buffer.push(task(0), line("a"));
        buffer.take_chunk();
        buffer.acknowledge(task(0), 1);
        buffer.push(task(0), line("b"));
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![1]));
    }

    #[test]
    fn attempts_take_turns_and_chunks_are_bounded() {
        let mut buffer = LogBuffer::new(64 << 20);
        for _ in 0..LOG_CHUNK_LINES + 1 {
            buffer.push(task(0), line("x"));
        }
        buffer.push(task(1), line("y"));
        assert_eq!(buffer.take_chunk().expect("a chunk").lines.len(), LOG_CHUNK_LINES);
        assert_eq!(numbers(buffer.take_chunk()), (1, 0, vec![0]));
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![LOG_CHUNK_LINES as u64]));
        for _ in 0..40 {
            buffer.push(task(2), line(&"z".repeat(16 * 1024)));
        }
        let chunk = buffer.take_chunk().expect("a chunk");
        assert!(chunk.lines.iter().map(|line| line.text.len()).sum::<usize>() <= LOG_CHUNK_BYTES);
        while buffer.take_chunk().is_some() {}
        assert!(buffer.in_flight >= IN_FLIGHT_BYTES && !buffer.has_chunk());
        buffer.acknowledge(task(2), 1);
        buffer.acknowledge(task(2), 20);
        assert!(buffer.has_chunk());
    }

    #[test]
    fn a_flood_drowns_itself_and_the_gap_is_told() {
        let mut buffer = LogBuffer::new(10 * (LINE_OVERHEAD + 1));
        buffer.push(task(1), line("q"));
        for _ in 0..100 {
            buffer.push(task(0), line("f"));
        }
        assert!(buffer.used() <= 10 * (LINE_OVERHEAD + 1));
        assert_eq!(numbers(buffer.take_chunk()), (1, 0, vec![0]));
        assert_eq!(numbers(buffer.take_chunk()), (0, 91, (91..100).collect()));
        // Lost on the way: the same gap is told again.
        buffer.rewind();
        assert_eq!(numbers(buffer.take_chunk()), (0, 91, (91..100).collect()));
        assert_eq!(numbers(buffer.take_chunk()), (1, 0, vec![0]));
        // Dropped while in flight: a gap counts from what was sent.
        buffer.push(task(0), line("f"));
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![100]));
        buffer.acknowledge(task(0), 101);
        buffer.acknowledge(task(1), 1);
        assert_eq!((buffer.used, buffer.in_flight), (0, 0));
    }

    #[test]
    fn a_refusal_names_the_number_that_is_wanted() {
        let mut buffer = LogBuffer::new(1 << 20);
        for _ in 0..4 {
            buffer.push(task(0), line("x"));
        }
        buffer.take_chunk();
        buffer.acknowledge(task(0), 0);
        assert_eq!(numbers(buffer.take_chunk()), (0, 0, vec![0, 1, 2, 3]));
        buffer.acknowledge(task(0), 3);
        // The other side lost lines that it had acknowledged: they are told as dropped.
        buffer.acknowledge(task(0), 1);
        assert_eq!(numbers(buffer.take_chunk()), (0, 2, vec![3]));
        buffer.acknowledge(task(0), 4);
        assert_eq!((buffer.used, buffer.in_flight), (0, 0));
    }

    #[test]
    fn nothing_more_is_kept_of_an_attempt_that_nobody_wants() {
        let mut buffer = LogBuffer::new(1 << 20);
        buffer.push(task(0), line("x"));
        buffer.take_chunk();
        buffer.reject(task(0));
        buffer.push(task(0), line("y"));
        assert!(buffer.is_empty() && buffer.take_chunk().is_none());
        buffer.end(task(0));
        assert!(buffer.logs.is_empty());
    }
}
