//! Reasons why an image is not sent.

use super::MediaType;
use crate::row_error::RowErrorCode;

/// Reason why an image is not sent. Its text is written to the row's `error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageProblem {
    /// The file is empty.
    #[error("the file is empty; upload it again")]
    Empty,
    /// The format is not one that models accept.
    #[error("the file is {}, and models take JPEG, PNG, GIF and WEBP; convert it", .0.unwrap_or("of no known image format"))]
    OtherFormat(Option<&'static str>),
    /// The file has more bytes than the model accepts.
    #[error("the file has {bytes} bytes, and at most {max} are taken; scale the image down or compress it more")]
    TooManyBytes {
        /// Size of the file.
        bytes: u64,
        /// Maximum size.
        max: u64,
    },
    /// The image has more pixels than the model accepts.
    #[error("the image has {width} x {height} pixels, and at most {max} are taken on each side; scale it down")]
    TooManyPixels {
        /// Width of the image.
        width: u32,
        /// Height of the image.
        height: u32,
        /// Maximum for each side.
        max: u32,
    },
    /// The end of the file is missing.
    #[error("the {} file is cut off: its end is missing; upload it again", .0.title())]
    CutOff(MediaType),
    /// The file violates its format.
    #[error("the {title} file is broken: {1}; save it anew with an image program", title = .0.title())]
    Broken(MediaType, &'static str),
}

impl ImageProblem {
    /// Returns the code of the reason, for the rows with such an image.
    pub fn code(&self) -> RowErrorCode {
        match self {
            Self::Empty => RowErrorCode::ImageEmpty,
            Self::OtherFormat(_) => RowErrorCode::ImageFormatUnsupported,
            Self::TooManyBytes { .. } => RowErrorCode::ImageTooManyBytes,
            Self::TooManyPixels { .. } => RowErrorCode::ImageTooManyPixels,
            Self::CutOff(_) => RowErrorCode::ImageCutOff,
            Self::Broken(..) => RowErrorCode::ImageBroken,
        }
    }
}
