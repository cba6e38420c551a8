//! Concurrent fetching of the images of some rows, in the order of the rows.

use super::cell::ImageCell;
use super::get::{encoded, get};
use super::place::NamedObject;
use super::{Buckets, FetchedImage};
use crate::error::EngineError;
use aws_sdk_s3::Client;
use bedrock_batch_domain::image::ImageLimits;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode as Code};
use bedrock_batch_domain::s3_uri::S3Uri;
use bytes::Bytes;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Default number of images that are fetched concurrently.
pub const CONCURRENCY: usize = 32;

/// Image, or the reason why the row has none.
type Fetched = Result<FetchedImage, RowError>;

/// Fetches images. Created once per run; clones share the limit of concurrent requests.
#[derive(Debug, Clone)]
pub struct ImageFetcher {
    shared: Arc<Shared>,
}

#[derive(Debug, Clone)]
struct Shared {
    runtime: Handle,
    client: Client,
    buckets: Buckets,
    limits: ImageLimits,
    concurrency: usize,
    requests: Arc<Semaphore>,
    /// Image whose content must have this `ETag`.
    pinned: Option<(S3Uri, String)>,
}

impl Shared {
    /// Returns the image that a cell names: exactly, or else without the white space at its end.
    async fn get_named(&self, named: &NamedObject) -> Result<Fetched, EngineError> {
        let fetched = self.get(&named.uri).await?;
        let Some(trimmed) = named.trimmed.as_ref().filter(|_| is_none(&fetched)) else { return Ok(fetched) };
        self.get(trimmed).await
    }

    async fn get(&self, uri: &S3Uri) -> Result<Fetched, EngineError> {
        let pinned = self.pinned.as_ref().filter(|(image, _)| image == uri);
        get(&self.client, uri, pinned.map(|(_, etag)| etag.as_str()), &self.limits).await
    }
}

/// Returns true if there is no such object, or S3 does not tell.
fn is_none(fetched: &Fetched) -> bool {
    let codes = [Code::ImageMissing, Code::ImageAccessDenied, Code::ImageAddressInvalid];
    fetched.as_ref().is_err_and(|why| codes.contains(&why.reason.code))
}

impl ImageFetcher {
    /// Creates a fetcher of images within `limits` from these buckets, with at most `concurrency` (at least 1; see
    /// [`CONCURRENCY`]) concurrent requests.
    pub fn new(runtime: &Handle, client: &Client, buckets: Buckets, limits: ImageLimits, concurrency: usize) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let requests = Arc::new(Semaphore::new(concurrency));
        let (runtime, client) = (runtime.clone(), client.clone());
        let shared = Shared { runtime, client, buckets, limits, concurrency, requests, pinned: None };
        Self { shared: Arc::new(shared) }
    }

    /// Returns a fetcher that accepts the image at this address only with this `ETag`.
    #[must_use]
    pub fn pinned(self, image: S3Uri, etag: String) -> Self {
        let shared = Shared { pinned: Some((image, etag)), ..(*self.shared).clone() };
        Self { shared: Arc::new(shared) }
    }

    /// Starts to fetch the images of these cells. It may be called again while the images of an earlier call are still
    /// being consumed: the new images wait for the earlier requests, not for their consumer.
    pub fn start(&self, cells: impl IntoIterator<Item = impl Into<ImageCell>>) -> Pending {
        let place = |cell| match cell {
            ImageCell::Named(name) => self.shared.buckets.place(name.as_deref()).map(Place::Object),
            ImageCell::Embedded { name, bytes } => Ok(Place::Row { name, bytes }),
        };
        let places: Vec<_> = cells.into_iter().map(Into::into).map(place).collect();
        // Fetched images wait here until they are consumed: no more than are fetched concurrently, for any number of rows.
        let (sender, arriving) = mpsc::channel(self.shared.concurrency);
        let (runtime, left) = (self.shared.runtime.clone(), places.len());
        runtime.spawn(fetch_in_order(Arc::clone(&self.shared), places, sender));
        Pending { runtime, arriving, left }
    }
}

/// Iterator over the images of the cells, in their order: each item is an image, or the reason why its row has none. An error
/// concerns the run, and ends it. To be used on a blocking thread.
///
/// If they are consumed one by one, at most as many as the fetcher's concurrency are in memory; [`Pending::wait`] keeps all.
#[derive(Debug)]
pub struct Pending {
    runtime: Handle,
    arriving: mpsc::Receiver<Arriving>,
    left: usize,
}

impl Pending {
    /// Waits for all images.
    ///
    /// # Errors
    /// Returns an error if an S3 request fails, except for failures that concern a single image.
    pub fn wait(self) -> Result<Vec<Result<FetchedImage, RowError>>, EngineError> {
        self.collect()
    }
}

impl Iterator for Pending {
    type Item = Result<Result<FetchedImage, RowError>, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let fetched = match self.arriving.blocking_recv() {
            Some(Arriving::Refused(reason)) => Ok(Err(reason)),
            Some(Arriving::Fetch(mut fetch)) => match self.runtime.block_on(&mut fetch.0) {
                Ok(fetched) => fetched,
                Err(error) => Err(EngineError::died("the fetching of an image", error)),
            },
            None => Err(EngineError::internal("the fetching of images ended early")),
        };
        if fetched.is_err() {
            self.left = 0;
            self.arriving.close();
        }
        Some(fetched)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// Place of an image's bytes.
#[derive(Debug)]
enum Place {
    Object(NamedObject),
    Row { name: String, bytes: Bytes },
}

/// Result for one cell.
#[derive(Debug)]
enum Arriving {
    Refused(RowError),
    Fetch(Fetch),
}

/// Fetch that is aborted when it is dropped.
#[derive(Debug)]
struct Fetch(JoinHandle<Result<Fetched, EngineError>>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn fetch_in_order(shared: Arc<Shared>, places: Vec<Result<Place, RowError>>, sender: mpsc::Sender<Arriving>) {
    for place in places {
        let arriving = match place {
            Err(reason) => Arriving::Refused(reason),
            Ok(place) => {
                let Ok(request) = Arc::clone(&shared.requests).acquire_owned().await else { return };
                let shared = Arc::clone(&shared);
                Arriving::Fetch(Fetch(tokio::spawn(async move {
                    let fetched = match place {
                        Place::Object(named) => shared.get_named(&named).await,
                        Place::Row { name, bytes } => Ok(encoded(&name, &bytes, &shared.limits)),
                    };
                    drop(request);
                    fetched
                })))
            }
        };
        // The consumer may have been dropped.
        if sender.send(arriving).await.is_err() {
            return;
        }
    }
}
