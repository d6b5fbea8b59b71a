//! Where a command's words go.

use std::io::{self, Write};

use crate::report::{Style, visible};

use super::Error;

/// Standard output and standard error, or whatever stands in for them.
pub struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    /// Say only what was found.
    pub(super) quiet: bool,
    /// Say what was passed over, too.
    pub(super) verbose: bool,
    pub(super) style: Style,
}

impl<'a> Output<'a> {
    /// Reports go to `out`, remarks and errors to `err`.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { out, err, quiet: false, verbose: false, style: Style::default() }
    }

    /// Writes to standard output. A reader that went away (`| head`) has all it wanted: that is no error.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Error> {
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
            _ => Ok(()),
        }
    }

    /// Writes something long to standard output, piece by piece.
    pub(super) fn print_with(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        let mut out = io::BufWriter::new(&mut *self.out);
        let done = write(&mut out).and_then(|()| out.flush());
        // What the buffer still holds was refused once already.
        let (_, _) = out.into_parts();
        match done.and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
            _ => Ok(()),
        }
    }

    /// Writes to standard error. Where even that fails nobody is left to be told.
    pub(super) fn err(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }

    pub(super) fn error(&mut self, error: &Error) {
        let mut text = format!("error: {}\n", visible(&error.to_string()));
        if let Some(help) = error.help() {
            text.push_str(&format!("help: {}\n", visible(&help)));
        }
        self.err(&text);
    }

    /// Something the user should know although nothing failed.
    pub(super) fn warn(&mut self, text: &str) {
        if !self.quiet {
            self.err(&format!("warning: {}\n", visible(text)));
        }
    }

    /// Something only `-v` asks for.
    pub(super) fn detail(&mut self, text: &str) {
        if self.verbose {
            self.err(&format!("{}\n", visible(text)));
        }
    }

    /// How a command went, for people.
    pub(super) fn remark(&mut self, text: &str) {
        if !self.quiet {
            self.err(&format!("{}\n", visible(text)));
        }
    }
}
