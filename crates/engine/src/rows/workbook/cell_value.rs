//! Cells of a workbook as text: as Excel shows them, as far as the stored value has it, and dates in ISO 8601.

use calamine::{DataRef, ExcelDateTime};
use std::fmt::Write;

/// Number of digits of numbers that Excel keeps and shows.
const MAX_DIGITS_AFTER_FIRST: usize = 14;
/// Whole numbers up to here have all their digits.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
/// Numbers beyond are shown with an exponent.
const MAX_PLAIN: f64 = 1e20;
const MIN_PLAIN: f64 = 1e-9;
/// Days up to the end of the year 9999.
const MAX_SERIAL: f64 = 2_958_466.0;
const MILLISECONDS_PER_DAY: f64 = 86_400_000.0;

/// What a reader of the table should know of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellNote {
    Nothing,
    /// The cell holds an error such as `#N/A`.
    IsError,
    /// The last digits of the number may be wrong.
    IsLong,
}

/// Appends the text of a cell.
pub(super) fn push_cell(text: &mut String, value: &DataRef<'_>) -> CellNote {
    match value {
        DataRef::String(own) | DataRef::DateTimeIso(own) | DataRef::DurationIso(own) => text.push_str(own),
        DataRef::SharedString(own) => text.push_str(own),
        DataRef::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        DataRef::Int(value) => push(text, format_args!("{value}")),
        DataRef::Float(value) => {
            push_number(text, *value);
            if value.fract() == 0.0 && value.abs() > MAX_EXACT {
                return CellNote::IsLong;
            }
        }
        DataRef::DateTime(moment) => push_moment(text, moment),
        DataRef::Error(_) => return CellNote::IsError,
        DataRef::Empty => {}
    }
    CellNote::Nothing
}

/// Writing into a text cannot fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _: std::fmt::Result = text.write_fmt(arguments);
}

fn push_number(text: &mut String, number: f64) {
    let is_whole = number.fract() == 0.0 && number.abs() < MAX_PLAIN;
    // The sum of 0.1 and 0.2 is stored with 17 digits.
    let rounded =
        if is_whole { number } else { format!("{number:.MAX_DIGITS_AFTER_FIRST$e}").parse().unwrap_or(number) };
    if rounded == 0.0 {
        return text.push('0');
    }
    if (MIN_PLAIN..MAX_PLAIN).contains(&rounded.abs()) {
        return push(text, format_args!("{rounded}"));
    }
    let with_exponent = format!("{rounded:E}");
    match with_exponent.split_once('E') {
        Some((mantissa, exponent)) if !exponent.starts_with('-') => push(text, format_args!("{mantissa}E+{exponent}")),
        _ => text.push_str(&with_exponent),
    }
}

fn push_moment(text: &mut String, moment: &ExcelDateTime) {
    let serial = moment.as_f64();
    // Excel shows `####` for these.
    if !(0.0..MAX_SERIAL).contains(&serial) {
        return push_number(text, serial);
    }
    if moment.is_duration() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of days is limited")]
        let milliseconds = (serial * MILLISECONDS_PER_DAY).round() as u64;
        let seconds = milliseconds / 1000;
        push(text, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
        return push_milliseconds(text, milliseconds % 1000);
    }
    let (year, month, day, hour, minute, second, milliseconds) = moment.to_ymd_hms_milli();
    let has_date = serial >= 1.0;
    let has_time = !has_date || hour > 0 || minute > 0 || second > 0 || milliseconds > 0;
    if has_date {
        push(text, format_args!("{year:04}-{month:02}-{day:02}"));
    }
    if has_date && has_time {
        text.push('T');
    }
    if has_time {
        push(text, format_args!("{hour:02}:{minute:02}:{second:02}"));
        push_milliseconds(text, u64::from(milliseconds));
    }
}

fn push_milliseconds(text: &mut String, milliseconds: u64) {
    if milliseconds > 0 {
        push(text, format_args!(".{milliseconds:03}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::ExcelDateTimeType;
    use rstest::rstest;

    fn text_of(value: &DataRef<'_>) -> String {
        let mut text = String::new();
        push_cell(&mut text, value);
        text
    }

    #[rstest]
    #[case(5.0, "5")]
    #[case(-0.0, "0")]
    #[case(0.1 + 0.2, "0.3")]
    #[case(1234.5, "1234.5")]
    #[case(-1e-5, "-0.00001")]
    #[case(1e15, "1000000000000000")]
    #[case(9_007_199_254_740_991.0, "9007199254740991")]
    #[case(1e20, "1E+20")]
    #[case(1.5e-12, "1.5E-12")]
    fn numbers_are_written_as_excel_shows_them(#[case] number: f64, #[case] expected: &str) {
        assert_eq!(text_of(&DataRef::Float(number)), expected);
    }

    #[rstest]
    #[case(45_943.0, ExcelDateTimeType::DateTime, "2025-10-13")]
    #[case(45_943.541, ExcelDateTimeType::DateTime, "2025-10-13T12:59:02.400")]
    #[case(0.75, ExcelDateTimeType::DateTime, "18:00:00")]
    #[case(1.5, ExcelDateTimeType::TimeDelta, "36:00:00")]
    #[case(-1.0, ExcelDateTimeType::DateTime, "-1")]
    #[case(1e9, ExcelDateTimeType::DateTime, "1000000000")]
    fn moments_are_written_in_iso_8601(#[case] serial: f64, #[case] kind: ExcelDateTimeType, #[case] expected: &str) {
        assert_eq!(text_of(&DataRef::DateTime(ExcelDateTime::new(serial, kind, false))), expected);
    }

    #[test]
    fn what_is_not_as_it_was_is_noted() {
        let mut text = String::new();
        assert_eq!(push_cell(&mut text, &DataRef::Error(calamine::CellErrorType::NA)), CellNote::IsError);
        assert_eq!(push_cell(&mut text, &DataRef::Bool(true)), CellNote::Nothing);
        assert_eq!(push_cell(&mut text, &DataRef::Float(12_345_678_901_234_567_000.0)), CellNote::IsLong);
        assert_eq!(text, "true12345678901234567000");
    }
}
