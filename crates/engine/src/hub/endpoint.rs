//! Address of the Hub, and comparison with other servers: a token is sent to no other one.

use hyper::Uri;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Address of the Hub or of a mirror, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    origin: Origin,
}

/// Server behind an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) is_tls: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Returns the server behind an absolute `http` or `https` address without credentials.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let is_tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { is_tls, host, port })
    }

    fn is_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl Endpoint {
    /// Returns the address of `path`, which begins with a slash and is percent-encoded.
    pub(super) fn at(&self, path: &str) -> Option<Uri> {
        format!("{}{path}", self.base).parse().ok()
    }

    /// Returns the server.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns true if no one between here and the server can read the requests.
    pub(super) fn is_private(&self) -> bool {
        self.origin.is_tls || self.origin.is_this_machine()
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        let origin = Origin { is_tls: true, host: "huggingface.co".to_owned(), port: 443 };
        Self { base: "https://huggingface.co".to_owned(), origin }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || "must be an http or https address without credentials, query and fragment".to_owned();
        let base = text.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| rule())?;
        let origin = Origin::of(&uri).filter(|_| !base.contains(['?', '#'])).ok_or_else(rule)?;
        Ok(Self { base, origin })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://hub.example/", "https://hub.example", true)]
    #[case("https://hub.example/artifactory/hf//", "https://hub.example/artifactory/hf", true)]
    #[case("http://127.0.0.1:8080", "http://127.0.0.1:8080", true)]
    #[case("http://[::1]:8080", "http://[::1]:8080", true)]
    #[case("http://hub.example", "http://hub.example", false)]
    fn trailing_slashes_are_cut_and_privacy_is_known(
        #[case] text: &str,
        #[case] shown: &str,
        #[case] is_private: bool,
    ) {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.to_string().as_str(), endpoint.is_private()), (shown, is_private));
        assert_eq!(endpoint.at("/api/x?a=b").unwrap().to_string(), format!("{shown}/api/x?a=b"));
    }

    #[rstest]
    #[case("")]
    #[case("hub.example")]
    #[case("ftp://hub.example")]
    #[case("https://user:word@hub.example")]
    #[case("https://hub.example/?a=b")]
    #[case("https:///x")]
    fn other_texts_are_not_endpoints(#[case] text: &str) {
        assert!(text.parse::<Endpoint>().is_err());
    }

    #[rstest]
    #[case("https://HUB.example:443/x", true)]
    #[case("https://hub.example.evil.example/x", false)]
    #[case("http://hub.example/x", false)]
    #[case("https://hub.example:8443/x", false)]
    fn the_same_server_is_the_same_scheme_host_and_port(#[case] other: &str, #[case] expected: bool) {
        let endpoint: Endpoint = "https://hub.example".parse().unwrap();
        assert_eq!(Origin::of(&other.parse().unwrap()).as_ref() == Some(endpoint.origin()), expected);
    }
}
