//! Encodings of text. Bytes that are not valid become bytes that UTF-8 never has, so that the reader of lines reports them with
//! their line, as it does for files in UTF-8.

use super::text_kind::TextKind;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, Read};

/// Takes the place of bytes that are not valid.
const INVALID: u8 = 0xff;
/// Size of the blocks that are decoded.
const BLOCK_BYTES: usize = 64 * 1024;

/// Encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextEncoding(&'static Encoding);

/// Broken rule and its remedy.
type Mistake = (String, String);

impl Default for TextEncoding {
    fn default() -> Self {
        Self(UTF_8)
    }
}

impl TextEncoding {
    /// Returns the encoding of a file that begins with these bytes; `is_whole` if they are all. `named` is the one that the user
    /// has named.
    pub(super) fn of(head: &[u8], is_whole: bool, kind: TextKind, named: Option<&str>) -> Result<Self, Mistake> {
        let marked = match head {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(utf_32()),
            [0xff, 0xfe, ..] => Some(UTF_16LE),
            [0xfe, 0xff, ..] => Some(UTF_16BE),
            [0xef, 0xbb, 0xbf, ..] => Some(UTF_8),
            _ => None,
        };
        let Some(name) = named else {
            return match (marked, unmarked_utf_16(head)) {
                (None, Some(found)) => Err(without_mark(kind, found)),
                (marked, _) => Ok(Self(marked.unwrap_or(UTF_8))),
            };
        };
        let label = if name == "latin-1" { "latin1" } else { name };
        let said = Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8);
        let is_utf_16 = |encoding| encoding == UTF_16LE || encoding == UTF_16BE;
        let differs = |found: &'static Encoding| {
            let rule = format!("is {}, and csv.encoding is `{name}`", found.name());
            Err((rule, "leave csv.encoding out: this encoding is recognized".to_owned()))
        };
        match marked {
            // `utf-16` leaves the order of bytes to the mark.
            Some(found) if name == "utf-16" && is_utf_16(found) => Ok(Self(found)),
            Some(found) if found != said => differs(found),
            None if said.is_single_byte() && is_utf_8(head, is_whole) => differs(UTF_8),
            _ => Ok(Self(said)),
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.0.name()
    }
}

fn utf_32() -> Mistake {
    ("is in UTF-32".to_owned(), "save it as UTF-8, e.g. `iconv -f utf-32 -t utf-8`".to_owned())
}

fn without_mark(kind: TextKind, found: &'static Encoding) -> Mistake {
    let name = found.name();
    let rule = format!("looks like {name} without a mark: every other byte is zero");
    let lower = name.to_ascii_lowercase();
    let save = format!("save it as UTF-8, e.g. `iconv -f {lower} -t utf-8`");
    match kind {
        TextKind::Csv => (rule, format!("set csv.encoding to `{lower}`, or {save}")),
        TextKind::JsonLines => (rule, save),
    }
}

/// Returns the encoding of text with many ASCII characters in UTF-16.
fn unmarked_utf_16(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.len() / 2;
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let is_most = |zeros: usize| pairs >= 2 && zeros * 10 >= pairs * 4;
    match (is_most(even), is_most(odd)) {
        (false, true) => Some(UTF_16LE),
        (true, false) => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns true if the bytes are UTF-8 with other characters than ASCII.
fn is_utf_8(head: &[u8], is_whole: bool) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => head,
        // Cut off within a character.
        Err(error) if !is_whole && error.error_len().is_none() => head.get(..error.valid_up_to()).unwrap_or_default(),
        Err(_) => return false,
    };
    !valid.is_ascii()
}

/// Stream of UTF-8.
pub(super) enum Decoded<R> {
    Utf8 { input: R, is_first: bool },
    Other(Box<Transcoded<R>>),
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(input: R, TextEncoding(encoding): TextEncoding) -> Self {
        if encoding == UTF_8 {
            return Self::Utf8 { input, is_first: true };
        }
        Self::Other(Box::new(Transcoded {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            has_controls: encoding.is_single_byte(),
            raw: Vec::new(),
            text: Vec::new(),
            at: 0,
            is_over: false,
        }))
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Utf8 { input, is_first } => {
                let read = input.read(buffer)?;
                // The beginning was looked at, so that a mark is not split over two reads. Tools that join files leave several.
                if std::mem::take(is_first) {
                    let mut text = &buffer[..read];
                    while let Some(rest) = text.strip_prefix(b"\xef\xbb\xbf") {
                        text = rest;
                    }
                    let (marks, kept) = (read - text.len(), text.len());
                    if marks > 0 {
                        buffer.copy_within(marks..read, 0);
                        return if kept == 0 { self.read(buffer) } else { Ok(kept) };
                    }
                }
                Ok(read)
            }
            Self::Other(input) => input.read(buffer),
        }
    }
}

/// Stream that is decoded block by block.
pub(super) struct Transcoded<R> {
    input: R,
    decoder: Decoder,
    /// If true, bytes without a character decode to control characters, which no text has.
    has_controls: bool,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// Number of bytes of the text that were taken.
    at: usize,
    is_over: bool,
}

impl<R: Read> Transcoded<R> {
    fn next_block(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        self.raw.resize(BLOCK_BYTES, 0);
        let read = self.input.read(&mut self.raw)?;
        self.is_over = read == 0;
        let (mut taken, mut filled) = (0, 0);
        loop {
            let block = &self.raw[taken..read];
            let needed = self.decoder.max_utf8_buffer_length_without_replacement(block.len()).unwrap_or(BLOCK_BYTES);
            // There may be as many bytes that are not valid as bytes: the room for the others is not created anew for each.
            if self.text.len() < filled + needed {
                self.text.resize(filled + needed, 0);
            }
            let output = &mut self.text[filled..];
            let (result, used, written) = self.decoder.decode_to_utf8_without_replacement(block, output, self.is_over);
            taken += used;
            filled += written;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(_, _) => {
                    match self.text.get_mut(filled) {
                        Some(next) => *next = INVALID,
                        None => self.text.push(INVALID),
                    }
                    filled += 1;
                }
            }
        }
        self.text.truncate(filled);
        if self.has_controls {
            mark_controls(&mut self.text);
        }
        Ok(())
    }
}

/// Makes the control characters U+0080 to U+009F invalid: what has such a byte is in another encoding.
fn mark_controls(text: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(0xc2, rest)) {
        at += found + 1;
        if let Some(byte @ 0x80..=0x9f) = text.get_mut(at) {
            *byte = INVALID;
        }
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.is_over {
                return Ok(0);
            }
            self.next_block()?;
        }
        let length = buffer.len().min(self.text.len() - self.at);
        buffer[..length].copy_from_slice(&self.text[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
