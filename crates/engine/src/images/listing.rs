//! Listing of the images under a prefix, as rows.

use super::sniff::are_images;
use crate::error::EngineError;
use crate::objects::{ObjectMeta, Pages, head};
use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use aws_sdk_s3::Client;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::s3_uri::S3Uri;
use bedrock_batch_domain::table_files::{MARKERS_IGNORED, is_marker};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// File name extensions of images. Those in the last line are formats that models do not accept: their rows report the
/// reason, while ignored files would go unnoticed.
const EXTENSIONS: [&str; 18] = [
    "jpg", "jpeg", "jpe", "png", "gif", "webp", //
    "jfif", "pjpeg", "pjp", "jif", "jfi", //
    "bmp", "tif", "tiff", "heic", "heif", "avif", "svg",
];
/// File name extensions of files that are no images. Those of all others, and files without one, are looked at.
const OTHER_EXTENSIONS: [&str; 30] = [
    "csv", "tsv", "parquet", "pq", "json", "jsonl", "ndjson", "txt", "md", "xml", "html", "htm", "pdf", "xlsx", "xls",
    "doc", "docx", "zip", "gz", "zst", "bz2", "tar", "toml", "yaml", "yml", "log", "db", "ini", "mp4", "mov",
];
/// Number of pages that are listed ahead of the reader.
const PAGES_AHEAD: usize = 2;

/// Numbers of objects under an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImageCount {
    /// Number of images, by their names.
    pub images: u64,
    /// Number of objects with other names.
    pub other_files: u64,
    /// Number of folder markers and of files that other tools leave: names or folders that begin with `_` or `.`.
    pub markers: u64,
}

impl ImageCount {
    /// Returns the numbers of ignored objects, by name, for the run's warnings.
    pub fn warnings(&self) -> BTreeMap<String, u64> {
        let ignored = [
            (MARKERS_IGNORED, self.markers),
            ("objects ignored: not images by their names or first bytes", self.other_files),
        ];
        ignored.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count)).collect()
    }

    /// Counts an object. One whose name does not say what it is counts as another file.
    pub fn add(&mut self, kind: ObjectKind) {
        match kind {
            ObjectKind::Image => self.images += 1,
            ObjectKind::Other | ObjectKind::Unclear => self.other_files += 1,
            ObjectKind::Marker => self.markers += 1,
        }
    }
}

/// Kind of an object among images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// Image.
    Image,
    /// File of another format.
    Other,
    /// Folder marker, or file that another tool has left.
    Marker,
    /// Its name does not say: its first bytes do.
    Unclear,
}

impl ObjectKind {
    /// Determines the kind of an object, of whose key `below` is the part below the prefix.
    pub fn of(below: &str) -> Self {
        match below {
            marker if is_marker(marker) => Self::Marker,
            image if is_image_name(image) => Self::Image,
            other if has_extension(other, &OTHER_EXTENSIONS) => Self::Other,
            _ => Self::Unclear,
        }
    }
}

/// Returns true if a key or file name is that of an image.
pub fn is_image_name(name: &str) -> bool {
    has_extension(name, &EXTENSIONS)
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    let extension = file_name(name).rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extensions.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Counts the images at `uri`, which is an object, or a prefix with all folders under it.
///
/// # Errors
/// Returns `InvalidInput` if there is none or if the bucket may not be read, and an error if an S3 request fails.
pub async fn count(client: &Client, uri: &S3Uri) -> Result<ImageCount, EngineError> {
    let mut count = ImageCount::default();
    let mut pages = Addressed::find(client, uri).await?;
    while let Some(page) = pages.next(client).await? {
        for (kind, _) in page {
            count.add(kind);
        }
    }
    if count.images > 0 {
        return Ok(count);
    }
    let rule = match count.other_files + count.markers {
        0 => "this object does not exist, and there is no object under this prefix".to_owned(),
        others => format!("contains no image by its name or first bytes, but {others} other objects"),
    };
    let extensions: Vec<String> = EXTENSIONS[..6].iter().map(|extension| format!(".{extension}")).collect();
    let remedy = format!("upload images ({}), or correct the address", extensions.join(", "));
    Err(Problem::new("s3_uri", uri, rule).remedy(remedy).into())
}

/// Iterator over the images at an address, as batches of rows with the columns `image_path` (S3 URI) and `file_name`, in the
/// order of their keys; a page of the listing is a batch. To be used on a blocking thread.
#[derive(Debug)]
pub struct ImageRows {
    batches: mpsc::Receiver<Result<RecordBatch, EngineError>>,
}

impl ImageRows {
    /// Starts the listing.
    pub fn new(runtime: &Handle, client: &Client, uri: &S3Uri) -> Self {
        let (sender, batches) = mpsc::channel(PAGES_AHEAD);
        let (client, uri) = (client.clone(), uri.clone());
        runtime.spawn(async move {
            if let Err(error) = send_pages(&client, &uri, &sender).await {
                // If the reader has been dropped, the error is not needed.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { batches }
    }

    /// Returns the schema of the rows.
    pub fn schema() -> SchemaRef {
        let column = |name: &str| Field::new(name, DataType::Utf8, false);
        Arc::new(Schema::new(vec![column("image_path"), column("file_name")]))
    }
}

impl Iterator for ImageRows {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.blocking_recv()
    }
}

async fn send_pages(
    client: &Client,
    uri: &S3Uri,
    sender: &mpsc::Sender<Result<RecordBatch, EngineError>>,
) -> Result<(), EngineError> {
    let mut pages = Addressed::find(client, uri).await?;
    while let Some(page) = pages.next(client).await? {
        let images: Vec<S3Uri> =
            page.into_iter().filter(|(kind, _)| *kind == ObjectKind::Image).map(|(_, found)| found.uri).collect();
        if !images.is_empty() && sender.send(rows(&images)).await.is_err() {
            break;
        }
    }
    Ok(())
}

fn rows(images: &[S3Uri]) -> Result<RecordBatch, EngineError> {
    let paths: StringArray = images.iter().map(|uri| Some(uri.to_string())).collect();
    let names: StringArray = images.iter().map(|uri| Some(file_name(&uri.key))).collect();
    RecordBatch::try_new(ImageRows::schema(), vec![Arc::new(paths), Arc::new(names)])
        .map_err(|error| EngineError::internal("cannot create rows from a page of images").caused_by(error))
}

fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Objects at an address.
#[derive(Debug)]
enum Addressed {
    /// One object, until it is consumed.
    Object(Option<ObjectMeta>),
    /// All objects under a prefix.
    Under { pages: Pages, prefix: S3Uri },
}

impl Addressed {
    /// Finds the object with this key, or else the folder.
    async fn find(client: &Client, uri: &S3Uri) -> Result<Self, EngineError> {
        if !uri.key.is_empty()
            && !uri.key.ends_with('/')
            && let Some(object) = head(client, uri).await?
        {
            return Ok(Self::Object(Some(object)));
        }
        let prefix = match uri.key.as_str() {
            "" => uri.clone(),
            key => S3Uri::new(&uri.bucket, format!("{}/", key.trim_end_matches('/'))),
        };
        Ok(Self::Under { pages: Pages::new(client, &prefix), prefix })
    }

    /// Returns the next objects with their kinds, which are clear.
    async fn next(&mut self, client: &Client) -> Result<Option<Vec<(ObjectKind, ObjectMeta)>>, EngineError> {
        let Some(mut page) = self.next_by_name().await? else { return Ok(None) };
        let unclear: Vec<ObjectMeta> =
            page.iter().filter(|(kind, _)| *kind == ObjectKind::Unclear).map(|(_, found)| found.clone()).collect();
        let mut are_images = are_images(client, &unclear).await?.into_iter();
        for (kind, _) in page.iter_mut().filter(|(kind, _)| *kind == ObjectKind::Unclear) {
            *kind = if are_images.next() == Some(true) { ObjectKind::Image } else { ObjectKind::Other };
        }
        Ok(Some(page))
    }

    async fn next_by_name(&mut self) -> Result<Option<Vec<(ObjectKind, ObjectMeta)>>, EngineError> {
        match self {
            Self::Object(object) => {
                Ok(object.take().map(|found| vec![(ObjectKind::of(file_name(&found.uri.key)), found)]))
            }
            Self::Under { pages, prefix } => {
                let page = pages.next().await?;
                let kind = |found: &ObjectMeta| {
                    ObjectKind::of(found.uri.key.strip_prefix(&prefix.key).unwrap_or(&found.uri.key))
                };
                Ok(page.map(|page| page.into_iter().map(|found| (kind(&found), found)).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a.jpg", ObjectKind::Image)]
    #[case("deep/er/b.JPEG", ObjectKind::Image)]
    #[case("c.webp", ObjectKind::Image)]
    #[case("fails-later.heic", ObjectKind::Image)]
    #[case("rows.csv", ObjectKind::Other)]
    #[case("jpg", ObjectKind::Unclear)]
    #[case("folder.jpg/readme", ObjectKind::Unclear)]
    #[case("chrome_saved.jfif", ObjectKind::Image)]
    #[case("old.PJPEG", ObjectKind::Image)]
    #[case("dot at end.jpg.", ObjectKind::Unclear)]
    #[case("a.jpg_large", ObjectKind::Unclear)]
    #[case("", ObjectKind::Marker)]
    #[case("folder/", ObjectKind::Marker)]
    #[case("_old/a.jpg", ObjectKind::Marker)]
    #[case("a/.thumbnails/a.jpg", ObjectKind::Marker)]
    #[case("._a.jpg", ObjectKind::Marker)]
    fn objects_are_classified_by_their_names(#[case] below: &str, #[case] kind: ObjectKind) {
        assert_eq!(ObjectKind::of(below), kind);
    }

    #[test]
    fn only_ignored_objects_cause_warnings() {
        let count = ImageCount { images: 3, other_files: 2, markers: 0 };
        let warnings: Vec<_> = count.warnings().into_iter().collect();
        assert_eq!(warnings, [("objects ignored: not images by their names or first bytes".to_owned(), 2)]);
    }
}
