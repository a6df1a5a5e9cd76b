//! Text of the service that may be shown: without what somebody could use.
//!
//! Called by [`super::classify`] for errors and by [`super::snapshot`] for jobs. The text is chosen by whoever answered: it
//! may echo a signature, a URL or the request's own headers. What looks like one, and every credential in use, is taken
//! out.

use crate::text::one_line;

/// What stands where something was taken out.
const REMOVED: &str = "[removed]";

/// The longest word that is no secret: a role's ARN may have 2 × 64 characters of names and more around them.
const LONGEST_WORD: usize = 256;

/// Keys are longer by far; a shorter text in their place, as in a test, is a part of many a word.
const SHORTEST_SECRET: usize = 8;

/// What a word that signs, or is signed, holds: a header or a parameter with its `=` encoded or not.
const SIGNED: [&str; 5] = ["x-amz-", "\"sessiontoken\"", "presignedurl", "signature=", "signature%3d"];

/// What a URL holds, encoded or not.
const URL: [&str; 3] = ["://", "%3a%2f%2f", ":\\/\\/"];

/// The text, fit to be quoted: at most 128 characters in one line, without URLs, signed parameters and any of
/// `secrets`.
pub(super) fn quotable(text: &str, secrets: &[String]) -> String {
    let words: Vec<&str> =
        text.split_whitespace().map(|word| if is_suspect(word, secrets) { REMOVED } else { word }).collect();
    one_line(&words.join(" "))
}

/// The text as it is, but for the words that hold a pre-signed URL, a parameter of one, or any of `secrets`. A plain URL
/// stays, as do spaces, ends of lines and length: this text is what a job is called or what the service says of it.
pub(super) fn without_secrets(text: &str, secrets: &[String]) -> Box<str> {
    let piece = |piece: &str| {
        let word = piece.trim_end();
        let space = piece.get(word.len()..).unwrap_or_default();
        if is_usable(word, secrets) { format!("{REMOVED}{space}") } else { piece.to_owned() }
    };
    text.split_inclusive(char::is_whitespace).map(piece).collect::<String>().into()
}

fn is_suspect(word: &str, secrets: &[String]) -> bool {
    word.len() > LONGEST_WORD || holds(word, &URL) || is_usable(word, secrets)
}

/// Whether somebody could use the word.
fn is_usable(word: &str, secrets: &[String]) -> bool {
    holds(word, &SIGNED)
        || is_key_id(word)
        || secrets.iter().any(|secret| secret.len() >= SHORTEST_SECRET && word.contains(secret.as_str()))
}

fn holds(word: &str, marks: &[&str]) -> bool {
    let lower = word.to_ascii_lowercase();
    marks.iter().any(|mark| lower.contains(mark))
}

/// An access key's id: four letters of a kind and sixteen more characters.
fn is_key_id(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.windows(20).any(|part| {
        (part.starts_with(b"AKIA") || part.starts_with(b"ASIA"))
            && part.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_something_is_quoted_and_what_could_be_used_is_not() {
        let secrets = ["s3cr3t/key+".to_owned(), "us".to_owned(), String::new()];
        for (text, expected) in [
            ("User pool us-west-2_X does not exist.", "User pool us-west-2_X does not exist."),
            (
                "User: arn:aws:sts::123456789012:assumed-role/a/b is not authorized",
                "User: arn:aws:sts::123456789012:assumed-role/a/b is not authorized",
            ),
            ("see https://b.example/?X-Amz-Signature=1 now", "see [removed] now"),
            ("see https%3A%2F%2Fb.example now", "see [removed] now"),
            ("x-amz-security-token:FwoGZXIv", "[removed]"),
            ("key 's3cr3t/key+' is wrong", "key [removed] is wrong"),
            ("(AKIAIOSFODNN7EXAMPLE)", "[removed]"),
            ("AKIA is short", "AKIA is short"),
            ("a\nb\u{202e}c", "a b\\u{202e}c"),
        ] {
            assert_eq!(quotable(text, &secrets), expected);
        }
        assert_eq!(quotable(&"A".repeat(5_000), &[]), REMOVED);
    }

    #[test]
    fn text_about_a_job_stays_as_it_is_but_for_what_could_be_used() {
        let secrets = ["s3cr3t/key+".to_owned(), "us".to_owned(), String::new()];
        let long = "a".repeat(5_000);
        for text in ["", "nightly  customers\n\t", " \u{202e} ##[x] ", "see https://docs.example/?a=b.", &long] {
            assert_eq!(&*without_secrets(text, &secrets), text);
        }
        for (text, expected) in [
            ("at\n https://b.example/p?X-Amz-Security-Token=1&X-Amz-Signature=2\tnow ", "at\n [removed]\tnow "),
            ("https%3A%2F%2Fb.example%2Fp%3FX-Amz-Credential%3D1", "[removed]"),
            ("https://b.example/p?AWSAccessKeyId=1&Signature=2&Expires=3", "[removed]"),
            ("p%3FSignature%3D2", "[removed]"),
            ("key  s3cr3t/key+,  too", "key  [removed]  too"),
            ("AKIAIOSFODNN7EXAMPLE\u{2028}x", "[removed]\u{2028}x"),
        ] {
            assert_eq!(&*without_secrets(text, &secrets), expected);
        }
    }
}
