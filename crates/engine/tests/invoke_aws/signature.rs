//! Independent verification that a request is signed for the path that it was sent to (AWS Signature Version 4).

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

pub(crate) const SECRET: &str = "secret";

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let hashed = Sha256::digest(key);
    let key = if key.len() > 64 { &hashed[..] } else { key };
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

pub(crate) fn is_right(path: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let authorization = header("authorization");
    let part = |name: &str| {
        let from = authorization.split_once(&format!("{name}=")).map_or("", |(_, rest)| rest);
        from.split(',').next().unwrap().to_owned()
    };
    let (credential, signed, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
    let scope = credential.split_once('/').map_or("", |(_, scope)| scope);
    let canonical_headers: Vec<String> =
        signed.split(';').map(|name| format!("{name}:{}\n", header(name).trim())).collect();
    let canonical_headers = canonical_headers.concat();
    let payload = hex::encode(Sha256::digest(body));
    // Every service except S3 encodes the path twice.
    let path = path.replace('%', "%25");
    let canonical = format!("POST\n{path}\n\n{canonical_headers}\n{signed}\n{payload}");
    let hash = hex::encode(Sha256::digest(canonical));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", header("x-amz-date"));
    let key = scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| hmac(&key, part));
    !signature.is_empty() && signature == hex::encode(hmac(&key, &to_sign)) && scope.contains("/bedrock/")
}
