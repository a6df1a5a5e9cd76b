//! What is said of a config that cannot be: each problem with its file, line, column and key, and a caret under it.
//! Made by [`resolve`](super::resolve), shown by `check` and by every command that reads a config file.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin as Location, Renderer, Snippet};

use super::lines::Lines;
use super::problem::{At, Place, Problem};
use super::source::Source;

/// The most problems that are shown: a file with more of them has another problem.
const MOST_SHOWN: usize = 100;

/// A longer line is not shown, only named.
const LONGEST_LINE: usize = 400;

/// Everything that is wrong with a config and a command line, in the order of the text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub origin: Origin,
    /// Which key, such as `poll.max_interval`, where one is meant.
    pub key: Option<String>,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do, in one line.
    pub help: Option<String>,
    /// Another place that has to do with it, and what it is.
    pub other: Option<(Excerpt, &'static str)>,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In what was typed: the flag or argument.
    CommandLine(&'static str),
    /// In a file.
    File(Excerpt),
}

/// A marked place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The first marked character of the line, from 1.
    pub column: usize,
    /// The line's text, secrets hidden; none where it is too long to show.
    text: Option<String>,
    /// The marked bytes of the line.
    mark: Range<usize>,
}

/// Who is to blame, and so which exit code is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What was typed: wrong usage.
    Usage,
    /// A file alone.
    Config,
}

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without escape sequences.
    Plain,
    /// With colours, for a terminal.
    Colored,
}

impl Diagnostics {
    /// The problems of these sources.
    pub(super) fn new(sources: &[Source], mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| (a.at, &a.key, &a.message).cmp(&(b.at, &b.key, &b.message)));
        let files: Vec<(&Source, Lines)> = sources.iter().map(|source| (source, Lines::of(source.text()))).collect();
        Self(problems.into_iter().map(|problem| Diagnostic::new(&files, problem)).collect())
    }

    /// The complaint about a config that names neither a job nor a pool, where one has to.
    #[must_use]
    pub fn nothing_to_watch(sources: &[Source]) -> Self {
        let help = Some("add [[job]] with target = \"<user-pool-id>/<job-id>\", or [[pool]] with an id".to_owned());
        let message = "there is no job and no pool to watch".to_owned();
        let origin = match sources.first() {
            Some(source) => {
                Origin::File(Excerpt { file: source.name().to_owned(), line: 1, column: 1, text: None, mark: 0..0 })
            }
            None => Origin::CommandLine("TARGET"),
        };
        Self(vec![Diagnostic { origin, key: None, message, help, other: None }])
    }

    /// Each problem.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// How many problems there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Usage where anything that was typed is wrong, else the files.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let typed = |diagnostic: &Diagnostic| matches!(diagnostic.origin, Origin::CommandLine(_));
        if self.0.iter().any(typed) { Fault::Usage } else { Fault::Config }
    }

    /// The first hundred problems as a compiler shows them, an empty line between two, and how many there are more.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let mut texts: Vec<String> =
            self.0.iter().take(MOST_SHOWN).map(|diagnostic| diagnostic.render(style)).collect();
        if self.0.len() > MOST_SHOWN {
            texts.push(format!("… and {} problems more", self.0.len() - MOST_SHOWN));
        }
        texts.join("\n\n")
    }
}

impl fmt::Display for Diagnostics {
    /// One line per problem, for a log: `file:line:column: key: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::CommandLine(flag) => write!(f, "{flag}: {}", self.message),
            Origin::File(excerpt) => write!(f, "{excerpt}: {}", self.title()),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Diagnostic {
    fn new(files: &[(&Source, Lines)], problem: Problem) -> Self {
        let excerpt = |place: Place| Excerpt::new(files, place);
        Self {
            origin: match problem.at {
                At::CommandLine(flag) => Origin::CommandLine(flag),
                At::File(place) => Origin::File(excerpt(place)),
            },
            key: Some(problem.key).filter(|key| !key.is_empty()),
            message: problem.message,
            help: problem.help,
            other: problem.other.map(|(place, what)| (excerpt(place), what)),
        }
    }

    fn title(&self) -> String {
        match (&self.key, &self.origin) {
            (Some(key), _) => format!("{key}: {}", self.message),
            (None, Origin::CommandLine(flag)) => format!("{flag}: {}", self.message),
            (None, Origin::File(_)) => self.message.clone(),
        }
    }

    /// The problem as a compiler shows it: title, place, the line with a caret, and what to do.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let title = self.title();
        let mut problem = Group::with_title(Level::ERROR.primary_title(&title));
        if let Origin::File(excerpt) = &self.origin {
            problem = problem.element(excerpt.element(AnnotationKind::Primary));
        }
        let mut report = vec![problem];
        if let Some((excerpt, what)) = &self.other {
            report.push(
                Group::with_title(Level::NOTE.secondary_title(*what)).element(excerpt.element(AnnotationKind::Context)),
            );
        }
        if let Some(help) = &self.help {
            report.push(Group::with_title(Level::HELP.secondary_title(help)));
        }
        match style {
            Style::Plain => Renderer::plain(),
            Style::Colored => Renderer::styled(),
        }
        .render(&report)
    }
}

impl Excerpt {
    fn new(files: &[(&Source, Lines)], place: Place) -> Self {
        let nothing = Lines::of("");
        let (file, text, lines) =
            files.get(place.source).map_or(("", "", &nothing), |(source, lines)| (source.name(), source.text(), lines));
        let range = lines.line(place.start);
        let line = text.get(range.clone()).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let within = |offset: usize| offset.saturating_sub(range.start).min(line.len());
        let mut mark = within(place.start)..within(place.end);
        // A byte order mark is no character of the line.
        let shown = line.trim_start_matches('\u{feff}');
        let hidden = line.len() - shown.len();
        mark = mark.start.saturating_sub(hidden)..mark.end.saturating_sub(hidden);
        let column = shown.get(..mark.start).unwrap_or_default().chars().count() + 1;
        let text = (shown.len() <= LONGEST_LINE).then(|| printable(shown));
        if let Some(printed) = &text {
            mark = moved(mark.start, shown, printed)..moved(mark.end, shown, printed);
        }
        Self { file: file.to_owned(), line: lines.number(place.start), column, text, mark }
    }

    /// The marked text, secrets hidden.
    #[must_use]
    pub fn marked(&self) -> &str {
        self.text.as_deref().and_then(|text| text.get(self.mark.clone())).unwrap_or_default()
    }

    fn element(&self, kind: AnnotationKind) -> Element<'_> {
        match &self.text {
            Some(text) => Snippet::source(text)
                .line_start(self.line)
                .path(&self.file)
                .annotation(kind.span(self.mark.clone()))
                .into(),
            None => Location::path(&self.file).line(self.line).char_column(self.column).into(),
        }
    }
}

/// The place in `printed` of an offset in `line`, of which it has every character or another in its place.
fn moved(offset: usize, line: &str, printed: &str) -> usize {
    let before = line.get(..offset).unwrap_or_default().chars().count();
    printed.char_indices().nth(before).map_or(printed.len(), |(at, _)| at)
}

/// A line as it may be printed, as many characters as before, so that the caret keeps its place.
///
/// The value of what looks like a secret is starred out: no key of ours holds one, but a line that is wrong may. What
/// would change how a terminal shows the rest gets a mark in its place; the renderer sees to the other control
/// characters.
fn printable(line: &str) -> String {
    const WORDS: [&str; 5] = ["secret", "password", "passwd", "token", "access_key"];
    let lower = line.to_ascii_lowercase();
    let value_of_secret = WORDS
        .iter()
        .filter_map(|word| lower.find(word))
        .filter_map(|at| line.get(at..)?.find('=').map(|equals| at + equals + 1))
        .min();
    let user_of_url = lower.find("://").and_then(|at| {
        let from = at + 3;
        line.get(from..)?.find('@').map(|end| from..from + end)
    });
    let mut printable = String::with_capacity(line.len());
    for (at, c) in line.char_indices() {
        let secret = value_of_secret.is_some_and(|from| at >= from) && !c.is_whitespace()
            || user_of_url.as_ref().is_some_and(|range| range.contains(&at));
        match c {
            _ if secret => printable.push('*'),
            '\u{80}'..='\u{9f}' => printable.push('·'),
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                printable.push(char::REPLACEMENT_CHARACTER);
            }
            _ => printable.push(c),
        }
    }
    printable
}
