//! The parts of a workbook, checked before they are read for their values. The reader of workbooks keeps texts, formats and names in
//! memory, and has no limits: a few kilobytes can unpack to any number of them.

use super::limited_part::{LimitedPart, PartSize};
use super::problems::{AS_CSV, damaged, not_a_workbook, part_over_limit, too_large};
use crate::error::EngineError;
use bedrock_batch_domain::problem::Problem;
use bytes::Bytes;
use memchr::memmem;
use quick_xml::events::{BytesStart, Event};
use std::io::{self, BufReader, Cursor, Read};
use zip::ZipArchive;

/// Maximum size of a file, which is in memory while it is read.
const MAX_WORKBOOK_BYTES: u64 = 64 << 20;
/// Maximum size of all parts, unpacked. Sheets are read as streams.
const MAX_UNPACKED_BYTES: u64 = 512 << 20;
/// Maximum size of the part with the texts of all sheets.
const MAX_TEXTS_BYTES: u64 = 128 << 20;
/// Maximum size of other parts, unpacked.
const MAX_PART_BYTES: u64 = 32 << 20;
/// Maximum number of parts.
const MAX_PARTS: usize = 10_000;
/// Maximum number of tags in the part with the texts: four of a plain text.
const MAX_TEXTS_TAGS: u64 = 4_000_000;
/// Maximum number of tags in another part that may be kept in memory: all but those of cells.
const MAX_KEPT_TAGS: u64 = 500_000;
/// Maximum size of a text with its tags. Excel allows 32,767 characters.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// Tags of cells, which are read one after the other.
const OF_CELLS: [&str; 6] = ["row", "c", "v", "f", "is", "t"];
/// Elements that become one text each.
const TEXTS: [&str; 3] = ["si", "c", "definedName"];

/// Reads a whole workbook, and checks it. Returns `None` for a file of no bytes.
///
/// # Errors
/// Returns `InvalidInput` if it is another kind of file or over a limit, and an error if reading fails.
pub(super) fn read_container(input: impl Read, file: &str) -> Result<Option<Bytes>, EngineError> {
    let mut bytes = Vec::new();
    input.take(MAX_WORKBOOK_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_WORKBOOK_BYTES {
        return Err(too_large(file, MAX_WORKBOOK_BYTES).into());
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    if let Some(problem) = not_a_workbook(file, &bytes) {
        return Err(problem.into());
    }
    let bytes = Bytes::from(bytes);
    check_parts(&bytes, file)?;
    Ok(Some(bytes))
}

fn check_parts(bytes: &Bytes, file: &str) -> Result<(), Problem> {
    // Each entry of the archive's directory begins with these bytes, whatever number of them it claims to have.
    let entries = memmem::find_iter(bytes, b"PK\x01\x02").take(MAX_PARTS + 1).count();
    if entries > MAX_PARTS {
        let rule = format!("has more than {MAX_PARTS} parts");
        return Err(Problem::without_value(file, rule).remedy(AS_CSV));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(|error| damaged(file, &error))?;
    let mut unpacked = 0;
    for index in 0..archive.len() {
        // What cannot be unpacked here is not read there either.
        let Ok(part) = archive.by_index(index) else { continue };
        let name = String::from_utf8_lossy(part.name_raw()).into_owned();
        unpacked += check_part(part, &name).map_err(|rule| part_over_limit(file, &name, rule))?;
        if unpacked > MAX_UNPACKED_BYTES {
            let rule = format!("has more than {} MiB when it is unpacked", MAX_UNPACKED_BYTES >> 20);
            return Err(Problem::without_value(file, rule).remedy(AS_CSV));
        }
    }
    Ok(())
}

/// Reads a part to its end, and returns its size; the error is the rule that it breaks.
fn check_part(mut part: impl Read, name: &str) -> Result<u64, String> {
    let holds_texts = name.to_ascii_lowercase().ends_with("sharedstrings.xml");
    let size = PartSize::new(if holds_texts { MAX_TEXTS_BYTES } else { MAX_PART_BYTES });
    let mut head = Vec::new();
    // What is not XML, or breaks off, is left to the reader: it meets the same mistake at the same place.
    let _: io::Result<usize> = part.by_ref().take(64).read_to_end(&mut head);
    let begin = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    let is_xml = begin.starts_with(b"<");
    let part = LimitedPart::new(Cursor::new(head.clone()).chain(part), &size);
    if is_xml {
        check_xml(part, &size, holds_texts)?;
    } else {
        skip(part, &size);
    }
    if size.is_exceeded() {
        return Err(format!("is too large when it is unpacked: {} bytes or more", size.bytes()));
    }
    Ok(size.bytes())
}

/// Reads a part that is not XML, such as a picture.
fn skip(mut part: impl Read, size: &PartSize) {
    let mut buffer = vec![0; 64 * 1024];
    while part.read(&mut buffer).is_ok_and(|read| read > 0) {
        size.event_begins();
    }
}

/// Reads the events of a part as the reader of workbooks does.
fn check_xml(part: impl Read, size: &PartSize, holds_texts: bool) -> Result<(), String> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(part));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.trim_text(false);
    config.check_comments = false;
    config.expand_empty_elements = true;
    let (mut buffer, mut tags, mut is_first) = (Vec::new(), 0, true);
    let mut text_begins = None;
    loop {
        size.event_begins();
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(tag)) => {
                let name = tag.local_name();
                let name = name.as_ref();
                if std::mem::take(&mut is_first) && name == "worksheet" {
                    size.allow(MAX_UNPACKED_BYTES);
                }
                if name == "sst" && announced_texts(&tag).is_some_and(|texts| texts > MAX_TEXTS_TAGS) {
                    return Err(format!("announces more than {MAX_TEXTS_TAGS} texts"));
                }
                if TEXTS.contains(&name) {
                    text_begins = Some(reader.buffer_position());
                }
                tags += u64::from(holds_texts || !OF_CELLS.contains(&name));
            }
            Ok(Event::End(tag)) if TEXTS.contains(&tag.local_name().as_ref()) => text_begins = None,
            Ok(Event::Eof) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        let max_tags = if holds_texts { MAX_TEXTS_TAGS } else { MAX_KEPT_TAGS };
        if tags > max_tags {
            return Err(format!("has more than {max_tags} tags"));
        }
        if text_begins.is_some_and(|begin| reader.buffer_position() - begin > MAX_TEXT_BYTES) {
            return Err(format!("has a text of more than {} MiB", MAX_TEXT_BYTES >> 20));
        }
    }
}

/// Returns the number of texts for which a reader reserves memory.
fn announced_texts(tag: &BytesStart<'_>) -> Option<u64> {
    let text: &str = tag;
    let numbers = text.split("uniqueCount").skip(1).filter_map(|after| {
        let digits: String =
            after.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        // More digits than a number of 64 bits has are no number for the reader either.
        digits.parse().ok()
    });
    numbers.max()
}
