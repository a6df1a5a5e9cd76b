//! The text of one config file, as it was found.
//! Made by whoever reads files, resolved by [`resolve`](super::resolve), which reads none.

/// The most bytes of one config file: some 40,000 jobs.
pub const MAX_SOURCE_BYTES: usize = 4 * 1024 * 1024;

/// One config file: its name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    fault: Option<SourceFault>,
}

/// Why a file is not read as TOML at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceFault {
    /// Not UTF-8 from this byte on.
    NotUtf8 {
        /// The first byte that fits nothing.
        at: usize,
    },
    /// UTF-16, as some editors save.
    Utf16,
    /// More than [`MAX_SOURCE_BYTES`].
    TooLarge,
}

impl Source {
    /// A file of this name and content. Whatever the bytes are, [`resolve`](super::resolve) says what is wrong
    /// with them.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        // A name is printed: whatever a terminal would act on is spelled out.
        let name = name
            .into()
            .chars()
            .flat_map(|c| match c {
                '"' | '\'' | '\\' => c.to_string().chars().collect::<Vec<_>>(),
                other => other.escape_debug().collect(),
            })
            .collect();
        let bytes = bytes.into();
        if bytes.len() > MAX_SOURCE_BYTES {
            return Self { name, text: String::new(), fault: Some(SourceFault::TooLarge) };
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Self { name, text: String::new(), fault: Some(SourceFault::Utf16) };
        }
        match String::from_utf8(bytes) {
            Ok(text) => Self { name, text, fault: None },
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                Self { name, text, fault: Some(SourceFault::NotUtf8 { at }) }
            }
        }
    }

    /// The name that messages use: a path, or a variable.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text; where it was not UTF-8, with marks in place of what was not.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn fault(&self) -> Option<SourceFault> {
        self.fault
    }
}
