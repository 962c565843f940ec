//! Where things are shown: data goes out, words about it go beside. Both are handed in, so that nothing here depends on the process.

use std::io::{self, IsTerminal as _, Write};

use console::{Style, Term};
use domain::error::{Error, ErrorCode};

/// What a stream can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Whether a person looks at it, and what was printed may be drawn over.
    pub live: bool,
    /// Whether it shows colours.
    pub colour: bool,
    /// Columns; none: lines may be as long as they are.
    pub width: Option<u16>,
}

impl Look {
    /// As a file or pipe is: nothing drawn over, no colours, no width.
    pub const PLAIN: Self = Self { live: false, colour: false, width: None };

    /// What a terminal of this process can show, and what the environment asks for: `NO_COLOR`, `CI` and a dumb terminal make
    /// everything plain.
    fn of(terminal: &Term, is_terminal: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let rich = is_terminal && !dumb && !set("NO_COLOR") && !set("CI");
        Self { live: rich, colour: rich, width: terminal.size_checked().map(|(_, columns)| columns).filter(|_| is_terminal) }
    }

    /// Text in a style, if there are colours.
    pub fn paint(self, style: Style, text: &str) -> String {
        style.force_styling(self.colour).apply_to(text).to_string()
    }
}

/// The two streams of a program.
pub struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// What the stream for data can show.
    pub out_look: Look,
    /// What the other can show.
    pub err_look: Look,
    closed: bool,
}

impl Screen {
    /// The process's own.
    pub fn of_process() -> Self {
        let out_look = Look::of(&Term::stdout(), io::stdout().is_terminal());
        let err_look = Look::of(&Term::stderr(), io::stderr().is_terminal());
        Self { out: Box::new(io::stdout()), err: Box::new(io::stderr()), out_look, err_look, closed: false }
    }

    /// These two, plain.
    pub fn of_writers(out: impl Write + Send + 'static, err: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), err: Box::new(err), out_look: Look::PLAIN, err_look: Look::PLAIN, closed: false }
    }

    /// Prints data. Whoever stops reading (`| head`) has what they wanted: that is no error, see [`Screen::is_closed`].
    ///
    /// # Errors
    /// When it can't be written: a full disk, for example.
    pub fn data(&mut self, text: &str) -> Result<(), Error> {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Error::new(ErrorCode::Internal, format!("the output can't be written: {error}"))),
        }
    }

    /// Prints words about what is done. Nobody has to hear them.
    pub fn note(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    /// Whether nobody reads the data any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}
