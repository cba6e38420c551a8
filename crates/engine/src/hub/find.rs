//! Search for the files of a dataset: its commit, configuration and split.

use super::file_range::FileRange;
use super::response::AttemptError;
use super::session::Session;
use super::storage_addresses::StorageAddresses;
use crate::error::EngineError;
use crate::objects::BlockReader;
use bedrock_batch_domain::hub::{
    self, CONVERTED, DatasetSource, Subject, TreeEntry, choose_config, choose_split, own_split, parquet_of_split,
    read_revision, read_tree, revision_path, tree_path,
};
use bedrock_batch_domain::problem::{Problem, Problems};
use bytes::Bytes;
use hyper::Uri;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Maximum number of pages of a listing, of about a thousand entries each.
const MAX_PAGES: usize = 200;

/// Files of a dataset, at one commit.
#[derive(Debug, Clone)]
pub struct Dataset {
    session: Arc<Session>,
    source: Arc<DatasetSource>,
    storages: StorageAddresses,
    /// Commit. Later changes of the dataset do not affect its files there.
    pub commit: String,
    /// Files, in the order of their rows.
    pub files: Vec<DatasetFile>,
    /// If true, they are only the first part of the split.
    pub is_partial: bool,
}

/// File of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetFile {
    /// `hf://datasets/<id>@<commit>/<path>`.
    pub name: String,
    /// Size of the file.
    pub bytes: u64,
    /// Identity of its content.
    pub content_id: String,
    path: String,
}

impl Dataset {
    /// Returns the id.
    pub fn id(&self) -> &str {
        &self.source.dataset_id
    }

    /// Creates a reader of one of the files; sends no request.
    ///
    /// # Errors
    /// Returns an error if the path of the file does not make an address.
    pub fn reader(&self, runtime: &Handle, file: &DatasetFile) -> Result<BlockReader<FileRange>, EngineError> {
        let url = self.session.at(&hub::file_path(self.id(), &self.commit, &file.path))?;
        let range = FileRange {
            session: Arc::clone(&self.session),
            source: Arc::clone(&self.source),
            name: file.name.clone(),
            bytes: file.bytes,
            url,
            path: file.path.clone(),
            storages: self.storages.clone(),
        };
        Ok(BlockReader::of(runtime, range))
    }
}

/// Finds the files of `source`.
pub(super) async fn find(
    session: Arc<Session>,
    source: &DatasetSource,
    pinned: Option<&str>,
) -> Result<Dataset, EngineError> {
    let finder = Finder { session: &session, source };
    let (commit, entries, is_partial) = match &source.revision {
        Some(revision) => {
            let subject = if pinned.is_some() { Subject::Content } else { Subject::Revision };
            let commit = finder.commit(pinned.unwrap_or(revision), subject).await?;
            let entries = own_split(finder.tree(&commit, None, true).await?, source)?;
            (commit, entries, false)
        }
        None => {
            let subject = if pinned.is_some() { Subject::Content } else { Subject::Conversion };
            let commit = finder.commit(pinned.unwrap_or(CONVERTED), subject).await?;
            let config = choose_config(&finder.tree(&commit, None, false).await?, source)?;
            let split = choose_split(&finder.tree(&commit, Some(&config), false).await?, source)?;
            let entries = finder.tree(&commit, Some(&split.folder), false).await?;
            (commit, parquet_of_split(entries, source)?, split.is_partial)
        }
    };
    let id = &source.dataset_id;
    let file = |entry: TreeEntry| DatasetFile {
        name: hub::shown(id, &commit, &entry.path),
        bytes: entry.bytes,
        content_id: entry.content_id,
        path: entry.path,
    };
    let files: Vec<DatasetFile> = entries.into_iter().map(file).collect();
    let empty = files.iter().filter(|file| file.bytes == 0);
    Problems::check(empty.map(|file| Problem::new("dataset_id", &file.name, "is empty")).collect())?;
    tracing::info!(dataset_id = id, commit, files = files.len(), "dataset_found");
    let source = Arc::new(source.clone());
    Ok(Dataset { session, source, storages: StorageAddresses::default(), commit, files, is_partial })
}

struct Finder<'a> {
    session: &'a Session,
    source: &'a DatasetSource,
}

impl Finder<'_> {
    /// Returns the commit of a revision.
    async fn commit(&self, revision: &str, subject: Subject) -> Result<String, EngineError> {
        let path = revision_path(&self.source.dataset_id, revision);
        let (json, _) = self.json(&path, subject).await?;
        read_revision(&json).map_err(|reason| self.unreadable(&path, &reason))
    }

    /// Returns the entries of a folder: folders and Parquet files.
    async fn tree(&self, commit: &str, folder: Option<&str>, recursive: bool) -> Result<Vec<TreeEntry>, EngineError> {
        let path = tree_path(&self.source.dataset_id, commit, folder, recursive);
        let (mut page, mut entries) = (path.clone(), Vec::new());
        for _ in 0..MAX_PAGES {
            let (json, next) = self.json(&page, Subject::Content).await?;
            entries.extend(read_tree(&json).map_err(|reason| self.unreadable(&path, &reason))?);
            match next {
                Some(query) => page = format!("{}?{query}", path.split('?').next().unwrap_or_default()),
                None => return Ok(entries),
            }
        }
        let rule = format!("has too many files to be listed ({MAX_PAGES} pages)");
        let remedy = "store the rows in S3 as CSV or Parquet and name them in s3_uri";
        Err(Problem::new("dataset_id", &self.source.dataset_id, rule).remedy(remedy).into())
    }

    /// Returns a response of the API, and the query of its next page.
    async fn json(&self, path: &str, subject: Subject) -> Result<(Bytes, Option<String>), EngineError> {
        let url = self.session.at(path)?;
        let what = format!("requesting {} from the Hugging Face Hub", self.source.dataset_id);
        let mut retries = self.session.retries();
        loop {
            match self.session.attempt(&what, self.requested(&what, &url, subject)).await {
                Ok(page) => return Ok(page),
                Err(failure) => retries.after(failure).await?,
            }
        }
    }

    async fn requested(
        &self,
        what: &str,
        url: &Uri,
        subject: Subject,
    ) -> Result<(Bytes, Option<String>), AttemptError> {
        let response = self.session.get(what, url, None).await?;
        if !response.response.status().is_success() {
            return Err(response.refused(what, self.source, subject, self.session.has_token()));
        }
        let next = response.next_query(what)?;
        Ok((response.body(what, self.session.policy).await?, next))
    }

    fn unreadable(&self, path: &str, reason: &str) -> EngineError {
        EngineError::internal(format!(
            "{}: the response to {path} is not that of a Hub: {reason}",
            self.source.dataset_id
        ))
    }
}
