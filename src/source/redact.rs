//! Text of the service that may be quoted in a message.
//!
//! Called by [`super::classify`]. An error's text is chosen by whoever answered: it may echo a signature, a URL
//! or the request's own headers. What looks like one, and every credential in use, is taken out before the rest
//! is made one harmless line.

use crate::text::one_line;

/// What stands where something was taken out.
const REMOVED: &str = "[removed]";

/// The longest word that is no secret: a role's ARN may have 2 × 64 characters of names and more around them.
const LONGEST_WORD: usize = 256;

/// Keys are longer by far; a shorter text in their place, as in a test, is a part of many a word.
const SHORTEST_SECRET: usize = 8;

/// The text, fit to be quoted: at most 128 characters in one line, without URLs, signed parameters and any of
/// `secrets`.
pub(super) fn quotable(text: &str, secrets: &[String]) -> String {
    let words: Vec<&str> =
        text.split_whitespace().map(|word| if is_suspect(word, secrets) { REMOVED } else { word }).collect();
    one_line(&words.join(" "))
}

fn is_suspect(word: &str, secrets: &[String]) -> bool {
    let lower = word.to_ascii_lowercase();
    word.len() > LONGEST_WORD
        || ["://", "%3a%2f%2f", ":\\/\\/", "x-amz-", "\"sessiontoken\"", "presignedurl", "signature="]
            .iter()
            .any(|mark| lower.contains(mark))
        || is_key_id(word)
        || secrets.iter().any(|secret| secret.len() >= SHORTEST_SECRET && word.contains(secret.as_str()))
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
}
