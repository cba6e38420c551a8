//! Addresses of the storage to which the Hub redirects. They are used until they expire, because the Hub limits the rate of
//! requests.

use hyper::Uri;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Addresses of a dataset's files by path. Clones share them.
#[derive(Clone, Default)]
pub(super) struct StorageAddresses(Arc<Mutex<HashMap<String, Uri>>>);

impl StorageAddresses {
    /// Returns the address of a file, if it is known.
    pub(super) fn of(&self, path: &str) -> Option<Uri> {
        self.addresses().get(path).cloned()
    }

    /// Stores the address of a file, or forgets it.
    pub(super) fn set(&self, path: &str, address: Option<Uri>) {
        match address {
            Some(address) => self.addresses().insert(path.to_owned(), address),
            None => self.addresses().remove(path),
        };
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<String, Uri>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses hold credentials of the storage, so they are not shown.
impl fmt::Debug for StorageAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageAddresses")
    }
}
