//! Lines, fields, and the survey of a whole file; never more than one line in memory.

use std::io::{self, BufRead};

/// No line is kept beyond this: 16,000 characters of four bytes, with room for a limit set higher.
const KEPT: usize = 256 * 1024;

/// A line that was read, without its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// None where it is not UTF-8. Cut where it is far too long.
    pub(crate) text: Option<String>,
    /// In characters, of the whole line.
    pub(crate) length: usize,
}

/// The lines of a file that hold anything.
#[derive(Debug)]
pub(crate) struct Lines<R>(pub(crate) R);

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        loop {
            match self.line() {
                Ok(Some(line)) if line.length == 0 => {}
                line => return line.transpose(),
            }
        }
    }
}

impl<R: BufRead> Lines<R> {
    fn line(&mut self) -> io::Result<Option<Line>> {
        let (mut kept, mut length, mut whole) = (Vec::new(), 0, true);
        if self.0.fill_buf()?.is_empty() {
            return Ok(None);
        }
        loop {
            let chunk = self.0.fill_buf()?;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            // A character has one byte that does not start with the bits 10.
            length += part.iter().filter(|byte| **byte & 0xC0 != 0x80 && **byte != b'\r').count();
            let room = part.len().min(KEPT - kept.len());
            whole &= room == part.len();
            kept.extend_from_slice(&part[..room]);
            let (used, last) = (part.len() + usize::from(end.is_some()), end.is_some() || chunk.is_empty());
            self.0.consume(used);
            if last {
                break;
            }
        }
        let text = if whole { String::from_utf8(kept).ok() } else { Some(String::from_utf8_lossy(&kept).into_owned()) };
        Ok(Some(Line { text, length }))
    }
}

/// The fields of a row: separated by commas, `\,` stands for a comma, quotation marks for themselves, and white space
/// around a value is dropped.
pub(crate) fn split_row(row: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => field.push(letters.next_if_eq(&',').unwrap_or('\\')),
            ',' => fields.push(std::mem::take(&mut field).trim().to_owned()),
            other => field.push(other),
        }
    }
    fields.push(field.trim().to_owned());
    fields
}

/// What a look over the whole file tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Survey {
    /// Of the upload, even where not all of it was kept.
    pub(crate) bytes: u64,
    /// Empty where the file is.
    pub(crate) header: Vec<String>,
    /// Without the header.
    pub(crate) rows: u64,
    pub(crate) longest_row: usize,
    /// Rows whose number of fields is not the header's.
    pub(crate) ragged_rows: u64,
    /// Lines that are not UTF-8.
    pub(crate) unreadable_lines: u64,
}

/// Reads a file once from start to end.
pub(crate) fn survey(file: impl BufRead, bytes: u64) -> io::Result<Survey> {
    let mut survey = Survey { bytes, ..Survey::default() };
    for line in Lines(file) {
        let line = line?;
        let fields = split_row(line.text.as_deref().unwrap_or_default());
        survey.unreadable_lines += u64::from(line.text.is_none());
        if survey.header.is_empty() {
            survey.header = fields;
            continue;
        }
        survey.rows += 1;
        survey.longest_row = survey.longest_row.max(line.length);
        survey.ragged_rows += u64::from(fields.len() != survey.header.len());
    }
    Ok(survey)
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines, split_row, survey};

    #[test]
    fn a_comma_is_escaped_by_a_backslash_and_quotation_marks_mean_nothing() {
        assert_eq!(split_row(r"a, b c ,d\,e,\n,"), ["a", "b c", "d,e", r"\n", ""]);
        assert_eq!(split_row(r#""x,y""#), [r#""x"#, r#"y""#]);
        assert_eq!(split_row(r"end\"), [r"end\"]);
    }

    #[test]
    fn lines_end_in_either_way_and_empty_ones_are_none() {
        let lines: Vec<Line> = Lines(&b"h\xc3\xa9\r\n\n\r\nlast"[..]).map(Result::unwrap).collect();
        let texts: Vec<_> = lines.iter().map(|line| (line.text.as_deref().unwrap().trim(), line.length)).collect();
        assert_eq!(texts, [("h\u{e9}", 2), ("last", 4)]);
    }

    #[test]
    fn a_line_beyond_all_limits_is_measured_and_not_kept() {
        let long = format!("{}\nnext\n", "\u{e9}".repeat(400_000));
        let lines: Vec<Line> = Lines(long.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(lines[0].length, 400_000);
        assert!(lines[0].text.as_ref().unwrap().len() <= super::KEPT + 2);
        assert_eq!(lines[1].text.as_deref(), Some("next"));
    }

    #[test]
    fn a_survey_counts_rows_and_what_is_odd_about_them() {
        let survey = survey(&b"a,b\n1,2\n1\n\xff,2\n"[..], 14).unwrap();
        assert_eq!((survey.rows, survey.ragged_rows, survey.unreadable_lines), (3, 2, 1));
        assert_eq!(survey.header, ["a", "b"]);
    }

    proptest::proptest! {
        #[test]
        fn fields_that_are_escaped_come_back_as_they_were(fields in proptest::collection::vec("[^\\\\\r\n]{0,12}", 1..8)) {
            let row = fields.iter().map(|field| field.replace(',', "\\,")).collect::<Vec<_>>().join(",");
            let trimmed: Vec<&str> = fields.iter().map(|field| field.trim()).collect();
            proptest::prop_assert_eq!(split_row(&row), trimmed);
        }

        #[test]
        fn any_bytes_are_surveyed(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
            let survey = survey(bytes.as_slice(), 0).unwrap();
            let breaks = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            proptest::prop_assert!(survey.rows <= breaks);
        }
    }
}
