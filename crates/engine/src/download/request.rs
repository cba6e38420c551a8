//! Requests for links.

/// Method of a request that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkMethod {
    /// Fetches the file.
    Get,
    /// Asks for its size, as some mail programs and scanners do before they show or fetch it.
    Head,
}

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

    pub(super) fn method(&self) -> Option<LinkMethod> {
        match self.method.as_str() {
            "GET" => Some(LinkMethod::Get),
            "HEAD" => Some(LinkMethod::Head),
            _ => None,
        }
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
    fn only_get_and_head_are_answered() {
        assert_eq!(LinkRequest::new("GET", "/", None).method(), Some(LinkMethod::Get));
        assert_eq!(LinkRequest::new("HEAD", "/", None).method(), Some(LinkMethod::Head));
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", ""] {
            assert_eq!(LinkRequest::new(method, "/", None).method(), None, "{method}");
        }
    }

    #[test]
    fn the_file_is_named_by_the_last_part_of_the_path() {
        for (path, name) in [("/0000.parquet", "0000.parquet"), ("/a/b.csv", "b.csv"), ("/", ""), ("", "")] {
            assert_eq!(LinkRequest::new("GET", path, None).file_name(), name, "{path}");
        }
    }
}
