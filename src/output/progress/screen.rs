//! A terminal: lines scroll, and the display stays below them.
//!
//! Driven by the printer's thread alone, so that a line never tears the display. The only file that names
//! `indicatif`.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::telemetry::Screen;
use crate::telemetry::printer::write_whole;

/// The terminal that `out` writes to.
pub struct TerminalScreen<W> {
    out: W,
    /// The display is one bar of several lines.
    display: Option<ProgressBar>,
    /// What a new display draws on.
    target: Box<dyn Fn() -> ProgressDrawTarget + Send>,
}

impl TerminalScreen<io::Stderr> {
    /// The terminal that is stderr.
    #[must_use]
    pub fn stderr() -> Self {
        Self::on(io::stderr(), ProgressDrawTarget::stderr)
    }
}

impl<W: Write + Send> TerminalScreen<W> {
    fn on(out: W, target: impl Fn() -> ProgressDrawTarget + Send + 'static) -> Self {
        Self { out, display: None, target: Box::new(target) }
    }
}

impl<W: Write + Send> Screen for TerminalScreen<W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        let out = &mut self.out;
        let mut write = || write_whole(out, format!("{line}\n").as_bytes());
        match &self.display {
            Some(display) => display.suspend(write),
            None => write(),
        }
    }

    fn frame(&mut self, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            if let Some(display) = self.display.take() {
                display.finish_and_clear();
            }
            return Ok(());
        }
        let target = &self.target;
        let display = self.display.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::with_draw_target(None, target()).with_style(style)
        });
        display.set_message(lines.join("\n"));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    const COLUMNS: usize = 80;

    /// A terminal as far as the display uses one: lines, wrapped at their end, and a cursor.
    #[derive(Clone, Debug, Default)]
    struct Terminal(Arc<Mutex<Page>>);

    #[derive(Debug, Default)]
    struct Page {
        lines: Vec<String>,
        row: usize,
    }

    impl Terminal {
        fn shown(&self) -> Vec<String> {
            let page = self.0.lock().unwrap();
            let lines = page.lines.iter().map(|line| line.trim_end().to_owned());
            lines.filter(|line| !line.is_empty()).collect()
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            COLUMNS as u16
        }

        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.0.lock().unwrap().row -= n;
            Ok(())
        }

        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.0.lock().unwrap().row += n;
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, s: &str) -> io::Result<()> {
            self.write_str(s)?;
            self.0.lock().unwrap().row += 1;
            Ok(())
        }

        fn write_str(&self, s: &str) -> io::Result<()> {
            let mut page = self.0.lock().unwrap();
            for c in s.chars() {
                let row = page.row;
                if page.lines.len() <= row + 1 {
                    page.lines.resize(row + 2, String::new());
                }
                match c {
                    '\r' => {}
                    '\n' => page.row += 1,
                    c if page.lines[row].len() < COLUMNS => page.lines[row].push(c),
                    c => {
                        page.row += 1;
                        page.lines[row + 1].push(c);
                    }
                }
            }
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            let mut page = self.0.lock().unwrap();
            let row = page.row;
            if let Some(line) = page.lines.get_mut(row) {
                line.clear();
            }
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_str(std::str::from_utf8(bytes).unwrap())?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_scroll_above_the_display_and_the_display_goes_at_the_end() {
        let terminal = Terminal::default();
        let drawn_on = terminal.clone();
        let target = move || ProgressDrawTarget::term_like_with_hz(Box::new(drawn_on.clone()), u8::MAX);
        let mut screen = TerminalScreen::on(terminal.clone(), target);
        let frame = |rows: &[&str]| rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>();
        screen.line("first").unwrap();
        screen.frame(&frame(&["NAME", "job a"])).unwrap();
        assert_eq!(terminal.shown(), ["first", "NAME", "job a"]);
        screen.line("second").unwrap();
        assert_eq!(terminal.shown(), ["first", "second", "NAME", "job a"]);
        screen.frame(&frame(&["NAME", "job a", "job b"])).unwrap();
        screen.line("third").unwrap();
        assert_eq!(terminal.shown(), ["first", "second", "third", "NAME", "job a", "job b"]);
        screen.frame(&[]).unwrap();
        screen.line("fourth").unwrap();
        assert_eq!(terminal.shown(), ["first", "second", "third", "fourth"]);
    }
}
