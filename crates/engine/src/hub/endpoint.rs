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

    /// Returns true if the server is on this machine.
    fn is_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Returns true for addresses of this machine and of its link, among them those of AWS's credentials and metadata.
    pub(super) fn is_local(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local() || address.is_unspecified(),
            Ok(IpAddr::V6(address)) => {
                let [first, second, ..] = address.segments();
                let is_of_aws = (first, second) == (0xfd00, 0x0ec2);
                address.is_loopback() || address.is_unspecified() || first & 0xffc0 == 0xfe80 || is_of_aws
            }
            Err(_) => {
                // Resolvers take `2130706433` and `0x7f.1` for addresses; no name of a host ends like that.
                let last = host.rsplit('.').next().unwrap_or_default();
                last == "localhost" || last.starts_with(|c: char| c.is_ascii_digit())
            }
        }
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
    pub(super) fn is_confidential(&self) -> bool {
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
        #[case] is_confidential: bool,
    ) {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.to_string().as_str(), endpoint.is_confidential()), (shown, is_confidential));
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
    #[case("https://127.0.0.1/x", true)]
    #[case("https://localhost./x", true)]
    #[case("https://a.localhost/x", true)]
    #[case("https://[::1]/x", true)]
    #[case("https://[::ffff:127.0.0.1]/x", true)]
    #[case("https://[fe80::1]/x", true)]
    #[case("https://[fd00:ec2::254]/x", true)]
    #[case("http://169.254.169.254/latest/meta-data", true)]
    #[case("http://0.0.0.0/x", true)]
    #[case("http://2130706433/x", true)]
    #[case("https://10.0.0.7/x", false)]
    #[case("https://cdn.example/x", false)]
    fn addresses_of_this_machine_and_its_link_are_local(#[case] url: &str, #[case] expected: bool) {
        assert_eq!(Origin::of(&url.parse().unwrap()).unwrap().is_local(), expected);
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
