//! The images of some rows, several at a time, in the order of the rows.

use super::get::get;
use super::{Buckets, FetchedImage};
use crate::error::EngineError;
use aws_sdk_s3::Client;
use bedrock_batch_domain::image::ImageLimits;
use bedrock_batch_domain::row_error::RowError;
use bedrock_batch_domain::s3_uri::S3Uri;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Images that are fetched at a time, unless told otherwise.
pub const CONCURRENCY: usize = 32;

/// An image, or the reason why the row goes without it.
type Fetched = Result<FetchedImage, RowError>;

/// Fetches images. Made once a run; clones share the bound on requests.
#[derive(Debug, Clone)]
pub struct ImageFetcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    runtime: Handle,
    client: Client,
    buckets: Buckets,
    limits: ImageLimits,
    concurrency: usize,
    requests: Arc<Semaphore>,
}

impl ImageFetcher {
    /// A fetcher of images within `limits` from these buckets, `concurrency` (at least 1; see [`CONCURRENCY`]) at a time.
    pub fn new(runtime: &Handle, client: &Client, buckets: Buckets, limits: ImageLimits, concurrency: usize) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let requests = Arc::new(Semaphore::new(concurrency));
        let (runtime, client) = (runtime.clone(), client.clone());
        Self { shared: Arc::new(Shared { runtime, client, buckets, limits, concurrency, requests }) }
    }

    /// Begins to fetch the images that these cells name. Another call may follow while the first is being taken from:
    /// its images wait for the first's requests, not for the first's taker.
    pub fn start<'a>(&self, cells: impl IntoIterator<Item = Option<&'a str>>) -> Pending {
        let places: Vec<_> = cells.into_iter().map(|cell| self.shared.buckets.place(cell)).collect();
        // What has come and is not taken yet waits here: no more images than are fetched at a time, however many rows.
        let (sender, arriving) = mpsc::channel(self.shared.concurrency);
        let (runtime, left) = (self.shared.runtime.clone(), places.len());
        runtime.spawn(fetch_in_order(Arc::clone(&self.shared), places, sender));
        Pending { runtime, arriving, left }
    }
}

/// The images of the cells, in their order: each is an item, or the reason why its row goes without. An error concerns
/// the run, and ends it. For a blocking thread.
///
/// Taken one by one, no more than the fetcher's concurrency are held in memory; [`Pending::wait`] holds all.
#[derive(Debug)]
pub struct Pending {
    runtime: Handle,
    arriving: mpsc::Receiver<Arriving>,
    left: usize,
}

impl Pending {
    /// All of them.
    ///
    /// # Errors
    /// As S3 fails, but for what concerns one image alone.
    pub fn wait(self) -> Result<Vec<Result<FetchedImage, RowError>>, EngineError> {
        self.collect()
    }
}

impl Iterator for Pending {
    type Item = Result<Result<FetchedImage, RowError>, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let fetched = match self.arriving.blocking_recv() {
            Some(Arriving::Refused(why)) => Ok(Err(why)),
            Some(Arriving::Fetch(mut fetch)) => match self.runtime.block_on(&mut fetch.0) {
                Ok(fetched) => fetched,
                Err(error) => Err(EngineError::Transient(format!("a worker died: {error}"))),
            },
            None => Err(EngineError::Transient("the fetching of images was given up".to_owned())),
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

/// What comes of one cell.
#[derive(Debug)]
enum Arriving {
    Refused(RowError),
    Fetch(Fetch),
}

/// A fetch that ends when nobody waits for it any more.
#[derive(Debug)]
struct Fetch(JoinHandle<Result<Fetched, EngineError>>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn fetch_in_order(shared: Arc<Shared>, places: Vec<Result<S3Uri, RowError>>, sender: mpsc::Sender<Arriving>) {
    for place in places {
        let arriving = match place {
            Err(why) => Arriving::Refused(why),
            Ok(uri) => {
                let Ok(request) = Arc::clone(&shared.requests).acquire_owned().await else { return };
                let shared = Arc::clone(&shared);
                Arriving::Fetch(Fetch(tokio::spawn(async move {
                    let fetched = get(&shared.client, &uri, &shared.limits).await;
                    drop(request);
                    fetched
                })))
            }
        };
        // The taker may be gone.
        if sender.send(arriving).await.is_err() {
            return;
        }
    }
}
