//! An entry as the bytes of the journal's native protocol.
//!
//! Called by [`super::socket`] for each entry. <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>

use serde_json::{Map, Value};

/// The bytes of an entry of [`super::entry`]. What is no entry becomes the message of one.
#[must_use]
pub fn bytes(entry: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entry.len());
    match serde_json::from_str::<Map<String, Value>>(entry) {
        Ok(fields) => {
            for (name, value) in fields.iter().filter_map(|(name, value)| Some((name, value.as_str()?))) {
                field(&mut bytes, name, value);
            }
        }
        Err(_) => field(&mut bytes, "MESSAGE", entry),
    }
    bytes
}

/// A value of one line stands behind `=`; one of several behind its length, so that it cannot be taken for more fields.
fn field(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        bytes.push(b'\n');
        bytes.extend_from_slice(&u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_several_lines_goes_with_its_length() {
        let written = bytes(r#"{"JOB_NAME":"a\nPRIORITY=0","MESSAGE":"one line = one field"}"#);
        let expected = b"JOB_NAME\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\nMESSAGE=one line = one field\n";
        assert_eq!(written, expected);
    }

    #[test]
    fn what_is_no_entry_is_a_message() {
        assert_eq!(bytes("no entry"), b"MESSAGE=no entry\n");
    }
}
