//! A pattern for the names of jobs: `*` stands for any characters, `?` for one, everything else for itself.
//!
//! Written in the config for a pool, asked when its list shows a job.

use std::fmt;
use std::str::FromStr;

/// The most characters of a job's name, by the service model.
const MAX_NAME_LENGTH: usize = 128;

/// A pattern that a job's name matches as a whole, upper and lower case apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(Box<str>);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidPattern {
    /// It is empty; no job has an empty name.
    Empty,
    /// It is longer than any name.
    TooLong,
    /// It holds this character, which no job's name does.
    Character(char),
}

impl fmt::Display for InvalidPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pattern is empty, and no job's name is"),
            Self::TooLong => {
                write!(f, "the pattern is longer than any job's name: at most {MAX_NAME_LENGTH} characters")
            }
            Self::Character(c) => write!(
                f,
                "no job's name holds {c:?}; in a pattern * stands for any characters, ? for one, and the rest for itself"
            ),
        }
    }
}

impl std::error::Error for InvalidPattern {}

impl FromStr for NamePattern {
    type Err = InvalidPattern;

    /// Reads a pattern. What no name can hold is refused, so that a pattern of another kind is not taken for one that
    /// matches nothing. A name is `[\w\s+=,.@-]+` by the service model.
    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        if text.chars().count() > MAX_NAME_LENGTH {
            return Err(InvalidPattern::TooLong);
        }
        let in_names = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_+=,.@-".contains(c) || !c.is_ascii();
        match text.chars().find(|c| !in_names(*c) && !['*', '?'].contains(c)) {
            Some(c) => Err(InvalidPattern::Character(c)),
            None => Ok(Self(text.into())),
        }
    }
}

impl NamePattern {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all of `name` matches. What it takes is at most the product of both lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.chars(), name.chars());
        // Behind the last `*` and where in the name it ends so far: it takes one more where the rest does not fit.
        let mut star = None;
        loop {
            let here = rest.clone();
            match (pattern.next(), rest.next()) {
                (Some('*'), _) => {
                    rest = here;
                    star = Some((pattern.clone(), rest.clone()));
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                (None, None) => return true,
                (Some(_), None) => return false,
                (_, Some(_)) => {
                    let Some((behind, mut taken)) = star.take() else { return false };
                    taken.next();
                    (pattern, rest) = (behind.clone(), taken.clone());
                    star = Some((behind, taken));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<NamePattern>().unwrap().matches(name)
    }

    #[test]
    fn a_star_stands_for_any_characters_and_a_question_mark_for_one() {
        for (pattern, name) in [
            ("nightly-*", "nightly-2026-11-22"),
            ("nightly-*", "nightly-"),
            ("*", ""),
            ("*", "whatever it is"),
            ("**", "a"),
            ("*-eu", "nightly-eu-eu"),
            ("a*b*c", "a-b-b-c-c"),
            ("n?ghtly", "nightly"),
            ("?*?", "ab"),
            ("grün*", "grün und blau"),
            ("a.b", "a.b"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_whole_name_has_to_match_upper_and_lower_case_apart() {
        for (pattern, name) in [
            ("nightly-*", "my-nightly-1"),
            ("nightly", "nightly-1"),
            ("nightly", "Nightly"),
            ("a*b*c", "a-c-b"),
            ("?", ""),
            ("?*?", "a"),
            ("a.b", "axb"),
            ("*-eu", "nightly-eu-1"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_no_name_holds_is_refused_in_a_pattern() {
        let parse = |text: &str| text.parse::<NamePattern>();
        assert_eq!(parse(""), Err(InvalidPattern::Empty));
        assert_eq!(parse(&"n".repeat(129)), Err(InvalidPattern::TooLong));
        for (text, c) in [("nightly-[0-9]*", '['), ("^nightly", '^'), ("a|b", '|'), ("a\u{0}", '\u{0}')] {
            assert_eq!(parse(text), Err(InvalidPattern::Character(c)), "{text}");
        }
        assert!(parse("a_b+c=d,e.f@g-h i*?").is_ok());
        assert!(InvalidPattern::Character('[').to_string().contains("* stands for any characters"));
    }

    /// By the definition: slow, and plain.
    fn by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=name.len()).any(|taken| by_definition(rest, &name[taken..])),
            (['?', pattern @ ..], [_, name @ ..]) => by_definition(pattern, name),
            ([wanted, pattern @ ..], [found, name @ ..]) => wanted == found && by_definition(pattern, name),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_definition_says(pattern in "[ab*?]{1,8}", name in "[ab]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &name), by_definition(&chars(&pattern), &chars(&name)));
        }

        #[test]
        fn a_name_that_holds_no_star_matches_itself(name in "[\\w ,.@+=-]{1,64}") {
            prop_assert!(matches(&name, &name));
        }
    }
}
