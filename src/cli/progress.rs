//! Says on a terminal what takes so long.

use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// Opens the stream that progress is drawn on.
pub type Terminal = fn() -> Box<dyn Write + Send>;

/// Who gets an answer within this time needs no progress.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long one picture of the spinner stands.
const TICK: Duration = Duration::from_millis(120);
const SPINNER: [char; 4] = ['|', '/', '-', '\\'];
/// Back to the start of the line, and nothing left of what was there.
const CLEAR: &str = "\r\x1b[K";

/// A line on the terminal as long as this lives; nothing is left of it afterwards.
pub(super) struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Draws `what` on the terminal, if there is one and it takes longer than somebody waits without asking.
    pub(super) fn of(what: impl Into<String>, terminal: Option<Terminal>) -> Self {
        Self::after(PATIENCE, what.into(), terminal)
    }

    fn after(patience: Duration, what: String, terminal: Option<Terminal>) -> Self {
        let running = terminal.map(|open| {
            let (stop, stopped) = mpsc::channel::<()>();
            let draw = move || {
                let mut pause = patience;
                let mut terminal = None;
                let mut waited = patience;
                for picture in SPINNER.iter().cycle() {
                    if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                    let terminal = terminal.get_or_insert_with(open);
                    let seconds = waited.as_secs();
                    // A terminal that is gone misses nothing.
                    let _ = write!(terminal, "{CLEAR}{picture} {what} ({seconds} s)")
                        .and_then(|()| terminal.flush());
                    pause = TICK;
                    waited += TICK;
                }
                if let Some(mut terminal) = terminal {
                    let _ = terminal.write_all(CLEAR.as_bytes()).and_then(|()| terminal.flush());
                }
            };
            (stop, std::thread::spawn(draw))
        });
        Self { running }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, drawing)) = self.running.take() {
            drop(stop);
            // What is printed next must not meet the line.
            let _ = drawing.join();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Mutex;

    use super::*;

    static DRAWN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    struct Screen;

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            DRAWN.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn long_work_is_named_and_nothing_is_left_of_it() {
        let open: Terminal = || Box::new(Screen);
        drop(Progress::after(Duration::from_hours(1), "judging".into(), Some(open)));
        assert!(DRAWN.lock().unwrap().is_empty(), "what is quick draws nothing");

        let progress = Progress::after(Duration::ZERO, "judging 3 files".into(), Some(open));
        while DRAWN.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        drop(progress);
        let drawn = String::from_utf8(DRAWN.lock().unwrap().clone()).unwrap();
        assert!(drawn.starts_with("\r\x1b[K| judging 3 files (0 s)"), "{drawn:?}");
        assert!(drawn.ends_with(CLEAR), "{drawn:?}");
    }
}
