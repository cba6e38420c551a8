//! Links in emails: their targets, and the tokens that prove that a link was issued by this stack.

mod console;
mod key_ring;
mod linked_key;
mod token;

pub use console::execution_link;
pub use key_ring::LinkKeyRing;
pub use linked_key::{file_name, is_linkable};
pub use token::{LinkKey, LinkTarget, Refusal};

/// Returns the URL of the download function for a token: `<base>/<file name>?token=…`.
pub fn download_url(base: &str, key: &str, token: &str) -> String {
    format!("{}/{}?token={token}", base.trim_end_matches('/'), percent_encoded(file_name(key)))
}

/// Encodes a file name for the path of a URL.
pub fn percent_encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().fold(String::with_capacity(name.len()), |mut url, byte| {
        if plain(byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push_str(&hex::encode_upper([byte]));
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_url_ends_with_the_file_name_and_the_token() {
        let expected = "https://x.lambda-url.eu-west-1.on.aws/0000.parquet?token=v1.a.b";
        for base in ["https://x.lambda-url.eu-west-1.on.aws", "https://x.lambda-url.eu-west-1.on.aws/"] {
            assert_eq!(download_url(base, "batch_output_parquet/p/r/0000.parquet", "v1.a.b"), expected);
        }
        assert_eq!(percent_encoded("a b/ü?.csv"), "a%20b%2F%C3%BC%3F.csv");
    }
}
