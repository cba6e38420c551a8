//! Objects as files of a folder, for benchmarks and tests.

use super::{ClosableWrite, ObjectSink};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Folder in place of a bucket.
#[derive(Debug, Clone)]
pub struct FolderSink {
    /// Root of the objects; keys are paths below it.
    pub folder: PathBuf,
}

/// File that gets its name only when it is closed.
#[derive(Debug)]
pub struct FolderWriter {
    file: BufWriter<File>,
    unfinished: PathBuf,
    finished: PathBuf,
}

impl ObjectSink for FolderSink {
    type Writer = FolderWriter;

    fn create(&self, key: &str) -> io::Result<FolderWriter> {
        let finished = self.folder.join(key);
        if let Some(parent) = finished.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let unfinished = self.folder.join(format!("{key}.unfinished"));
        let file = BufWriter::with_capacity(256 * 1024, File::create(&unfinished)?);
        Ok(FolderWriter { file, unfinished, finished })
    }
}

impl Write for FolderWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl ClosableWrite for FolderWriter {
    fn close(mut self) -> io::Result<()> {
        self.file.flush()?;
        std::fs::rename(&self.unfinished, &self.finished)
    }
}
