//! Requests for links.

/// Request for a link. It has no `Debug`, because its token is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkRequest {
    method: String,
    file_name: String,
    token: Option<String>,
}

impl LinkRequest {
    /// Creates a request for `path` with the token from the query.
    pub fn new(method: &str, path: &str, token: Option<String>) -> Self {
        let file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Self { method: method.to_owned(), file_name, token }
    }

    pub(super) fn is_get(&self) -> bool {
        self.method == "GET"
    }

    /// Returns the last part of the path.
    pub(super) fn file_name(&self) -> &str {
        &self.file_name
    }

    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_methods_are_not_get() {
        assert!(LinkRequest::new("GET", "/", None).is_get());
        for method in ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", ""] {
            assert!(!LinkRequest::new(method, "/", None).is_get(), "{method}");
        }
    }

    #[test]
    fn the_file_is_named_by_the_last_part_of_the_path() {
        for (path, name) in [("/0000.parquet", "0000.parquet"), ("/a/b.csv", "b.csv"), ("/", ""), ("", "")] {
            assert_eq!(LinkRequest::new("GET", path, None).file_name(), name, "{path}");
        }
    }
}
