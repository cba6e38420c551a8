//! One conformance suite for all sinks: S3, folder and memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::s3_server::S3Server;
use crate::test_stack;
use bedrock_batch_engine::EngineError;
use bedrock_batch_engine::objects::{Bucket, ClosableWrite, FolderSink, MemorySink, ObjectSink};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Sink whose objects can be read.
trait Storage {
    type Sink: ObjectSink;

    fn new() -> Self;

    /// Runs `work` with the sink, and waits until all closed objects are stored.
    fn write(&self, work: impl FnOnce(&Self::Sink)) -> Result<(), EngineError>;

    fn read(&self, key: &str) -> Option<Vec<u8>>;
}

struct Memory(MemorySink);

impl Storage for Memory {
    type Sink = MemorySink;

    fn new() -> Self {
        Self(MemorySink::default())
    }

    fn write(&self, work: impl FnOnce(&MemorySink)) -> Result<(), EngineError> {
        work(&self.0);
        Ok(())
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get(key).map(|bytes| bytes.to_vec())
    }
}

struct Folder(TempDir);

impl Storage for Folder {
    type Sink = FolderSink;

    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, work: impl FnOnce(&FolderSink)) -> Result<(), EngineError> {
        work(&FolderSink { folder: self.0.path().to_owned() });
        Ok(())
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.path().join(key)).ok()
    }
}

struct S3 {
    runtime: Runtime,
    server: S3Server,
    bucket: Bucket,
}

impl Storage for S3 {
    type Sink = bedrock_batch_engine::objects::Uploads;

    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = S3Server::default();
        let bucket = test_stack::bucket(runtime.block_on(server.serve()), "own");
        Self { runtime, server, bucket }
    }

    fn write(&self, work: impl FnOnce(&Self::Sink)) -> Result<(), EngineError> {
        let uploads = self.bucket.uploads(self.runtime.handle());
        work(&uploads);
        self.runtime.block_on(uploads.finish())
    }

    fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.server.world().objects.get(&("own".to_owned(), key.to_owned())).cloned()
    }
}

/// More than two parts of an upload.
const LARGE: usize = 17 * 1024 * 1024 + 3;

fn put(sink: &impl ObjectSink, key: &str, bytes: &[u8]) {
    let mut object = sink.create(key).unwrap();
    object.write_all(bytes).unwrap();
    object.close().unwrap();
}

fn large() -> Vec<u8> {
    (0..=250).cycle().take(LARGE).collect()
}

fn pieces_become_one_object(storage: &impl Storage) {
    let written = storage.write(|sink| {
        let mut object = sink.create("a/b/c.txt").unwrap();
        for piece in ["one ", "", "two"] {
            object.write_all(piece.as_bytes()).unwrap();
            object.flush().unwrap();
        }
        object.close().unwrap();
    });
    written.unwrap();
    assert_eq!(storage.read("a/b/c.txt").as_deref(), Some(b"one two".as_slice()));
}

fn an_empty_object_exists(storage: &impl Storage) {
    storage.write(|sink| put(sink, "empty", b"")).unwrap();
    assert_eq!(storage.read("empty").as_deref(), Some(b"".as_slice()));
    assert_eq!(storage.read("other"), None);
}

fn a_large_object_is_stored_whole(storage: &impl Storage) {
    storage.write(|sink| put(sink, "large", &large())).unwrap();
    assert!(storage.read("large").unwrap() == large(), "all bytes in their order");
}

fn an_object_is_invisible_until_it_is_closed(storage: &impl Storage) {
    let written = storage.write(|sink| {
        let mut object = sink.create("large").unwrap();
        object.write_all(&large()).unwrap();
        object.flush().unwrap();
        assert!(storage.read("large").is_none(), "not closed yet");
        object.close().unwrap();
    });
    written.unwrap();
    assert!(storage.read("large").is_some());
}

fn a_dropped_object_never_appears(storage: &impl Storage, bytes: &[u8]) {
    // A sink may report an error for the dropped object, but must not store it.
    let _ = storage.write(|sink| {
        let mut object = sink.create("dropped").unwrap();
        object.write_all(bytes).unwrap();
        drop(object);
        put(sink, "kept", b"kept");
    });
    assert!(storage.read("dropped").is_none());
    assert_eq!(storage.read("kept").as_deref(), Some(b"kept".as_slice()));
}

fn writing_again_replaces_the_object(storage: &impl Storage) {
    storage.write(|sink| put(sink, "key", b"first and longer")).unwrap();
    storage.write(|sink| put(sink, "key", b"second")).unwrap();
    assert_eq!(storage.read("key").as_deref(), Some(b"second".as_slice()));
    let _ = storage.write(|sink| {
        let mut object = sink.create("key").unwrap();
        object.write_all(b"third").unwrap();
    });
    assert_eq!(storage.read("key").as_deref(), Some(b"second".as_slice()), "half an object replaces none");
}

fn objects_that_are_open_at_once_do_not_mix(storage: &impl Storage) {
    let written = storage.write(|sink| {
        let (mut records, mut rows) = (sink.create("0/records").unwrap(), sink.create("0/rows").unwrap());
        for piece in ["a", "b", "c"] {
            records.write_all(piece.as_bytes()).unwrap();
            rows.write_all(piece.to_uppercase().as_bytes()).unwrap();
        }
        rows.close().unwrap();
        records.close().unwrap();
    });
    written.unwrap();
    assert_eq!(storage.read("0/records").as_deref(), Some(b"abc".as_slice()));
    assert_eq!(storage.read("0/rows").as_deref(), Some(b"ABC".as_slice()));
}

macro_rules! promises {
    ($name:ident, $storage:ty) => {
        mod $name {
            use super::*;

            #[test]
            fn pieces_become_one_object() {
                super::pieces_become_one_object(&<$storage>::new());
            }

            #[test]
            fn an_empty_object_exists() {
                super::an_empty_object_exists(&<$storage>::new());
            }

            #[test]
            fn a_large_object_is_stored_whole() {
                super::a_large_object_is_stored_whole(&<$storage>::new());
            }

            #[test]
            fn an_object_is_invisible_until_it_is_closed() {
                super::an_object_is_invisible_until_it_is_closed(&<$storage>::new());
            }

            #[test]
            fn a_dropped_object_never_appears() {
                super::a_dropped_object_never_appears(&<$storage>::new(), b"few bytes");
                super::a_dropped_object_never_appears(&<$storage>::new(), &large());
            }

            #[test]
            fn writing_again_replaces_the_object() {
                super::writing_again_replaces_the_object(&<$storage>::new());
            }

            #[test]
            fn objects_that_are_open_at_once_do_not_mix() {
                super::objects_that_are_open_at_once_do_not_mix(&<$storage>::new());
            }
        }
    };
}

promises!(memory, Memory);
promises!(folder, Folder);
promises!(s3, S3);

#[test]
fn an_object_is_stored_only_if_the_check_at_its_completion_passes() {
    let s3 = S3::new();
    let is_allowed = Arc::new(AtomicBool::new(true));
    let checked = Arc::clone(&is_allowed);
    let uploads = s3.bucket.uploads(s3.runtime.handle()).checked(move || {
        let passes = checked.load(Ordering::SeqCst);
        async move { if passes { Ok(()) } else { Err(EngineError::superseded("another execution owns the run")) } }
    });
    put(&uploads, "small-before", b"1");
    put(&uploads, "large-before", &large());
    s3.runtime.block_on(uploads.clone().finish()).unwrap();
    // The right to write ceases after the objects were begun.
    for (key, bytes) in [("small", b"1".to_vec()), ("large", large())] {
        is_allowed.store(true, Ordering::SeqCst);
        let mut object = uploads.create(key).unwrap();
        object.write_all(&bytes).unwrap();
        is_allowed.store(false, Ordering::SeqCst);
        object.close().unwrap();
        assert_eq!(s3.runtime.block_on(uploads.clone().finish()).unwrap_err().name(), "Superseded");
    }
    assert!(s3.read("small-before").is_some() && s3.read("large-before").is_some());
    assert!(s3.read("small").is_none() && s3.read("large").is_none());
    assert!(s3.server.world().parts.is_empty(), "nothing incomplete is left");
}

/// JSON objects in a bucket.
mod json {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_was_written() {
        let s3 = S3::new();
        let read = s3.runtime.block_on(async {
            s3.bucket.put_json("runs/r/jobs.json", &[1, 2]).await.unwrap();
            s3.bucket.get_json::<Vec<u32>>("runs/r/jobs.json").await
        });
        assert_eq!(read.unwrap(), [1, 2]);
        assert_eq!(s3.runtime.block_on(s3.bucket.find_json("runs/r/jobs.json")).unwrap(), Some(vec![1, 2]));
    }

    #[test]
    fn a_missing_object_is_none_if_it_is_optional_and_otherwise_an_error_with_its_address() {
        let s3 = S3::new();
        let found = s3.runtime.block_on(s3.bucket.find_json::<Vec<u32>>("runs/r/jobs.json"));
        assert_eq!(found.unwrap(), None);
        let error = s3.runtime.block_on(s3.bucket.get_json::<Vec<u32>>("runs/r/jobs.json")).unwrap_err();
        assert_eq!(error.name(), "Corrupt");
        let message = error.message();
        assert!(message.starts_with("cannot read s3://own/runs/r/jobs.json: NoSuchKey"), "{message}");
    }

    #[test]
    fn an_object_that_does_not_parse_is_corrupt() {
        let s3 = S3::new();
        s3.server.put("own", "runs/r/jobs.json", b"[1,");
        for found in [
            s3.runtime.block_on(s3.bucket.find_json::<Vec<u32>>("runs/r/jobs.json")).map(|_| ()),
            s3.runtime.block_on(s3.bucket.get_json::<Vec<u32>>("runs/r/jobs.json")).map(|_| ()),
        ] {
            let error = found.unwrap_err();
            assert_eq!(error.name(), "Corrupt");
            let message = error.message();
            let expected = "s3://own/runs/r/jobs.json is not what was written there: EOF while parsing";
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn a_refused_object_is_an_error_and_never_missing() {
        let s3 = S3::new();
        for (status, code, kind) in [(403, "AccessDenied", "AccessDenied"), (404, "NoSuchBucket", "Internal")] {
            s3.server.world().faults.insert("own/runs/r/jobs.json".to_owned(), (status, code, 9));
            let error = s3.runtime.block_on(s3.bucket.find_json::<Vec<u32>>("runs/r/jobs.json")).unwrap_err();
            assert_eq!(error.name(), kind);
            let message = error.message();
            assert!(message.starts_with("cannot read s3://own/runs/r/jobs.json"), "{message}");
            assert!(message.ends_with(&format!("{code}: told to")), "{message}");
        }
    }
}
