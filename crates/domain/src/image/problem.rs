//! Why an image is not sent.

use super::MediaType;
use crate::row_error::RowErrorCode;

/// Why an image is not sent. Its text goes into the row's `error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageProblem {
    /// There is nothing in it.
    #[error("the file is empty; upload it again")]
    Empty,
    /// Another format.
    #[error("the file is {}, and models take JPEG, PNG, GIF and WEBP; convert it", .0.unwrap_or("of no known image format"))]
    OtherFormat(Option<&'static str>),
    /// More bytes than the model takes.
    #[error("the file has {bytes} bytes, and at most {max} are taken; scale the image down or compress it more")]
    TooManyBytes {
        /// Its bytes.
        bytes: u64,
        /// The most.
        max: u64,
    },
    /// More pixels than the model takes.
    #[error("the image has {width} x {height} pixels, and at most {max} are taken on each side; scale it down")]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// The most on each side.
        max: u32,
    },
    /// Its end is missing.
    #[error("the {} file is cut off: its end is missing; upload it again", .0.title())]
    CutOff(MediaType),
    /// Its format is violated.
    #[error("the {title} file is broken: {1}; save it anew with an image program", title = .0.title())]
    Broken(MediaType, &'static str),
}

impl ImageProblem {
    /// Code of the reason that rows with such an image come out with.
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
