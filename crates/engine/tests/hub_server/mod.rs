//! As much of the Hugging Face Hub as reading a dataset needs, in this process: revisions, listings in pages, files behind
//! redirects to a storage on another port, and faults. The shapes of the responses are written by hand from the Hub's
//! documentation; they were not recorded from the Hub.

use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const COMMIT: &str = "1111111111111111111111111111111111111111";
pub(crate) const LATER: &str = "2222222222222222222222222222222222222222";

/// Fault in place of a response.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A status with headers.
    Status(u16, Vec<(&'static str, String)>),
    /// The connection breaks after so many bytes of the body.
    Cut(usize),
    /// Nothing is sent.
    Silence,
    /// The body is sent byte by byte, with this time between two bytes.
    Drip(Duration),
}

/// A request that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubRequest {
    pub(crate) is_of_hub: bool,
    pub(crate) target: String,
    pub(crate) token: Option<String>,
    pub(crate) range: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    /// Commits by dataset and name of a revision.
    pub(crate) revisions: BTreeMap<(String, String), String>,
    /// Files by dataset, commit and path.
    pub(crate) files: BTreeMap<(String, String, String), Vec<u8>>,
    /// Faults by a part of the address; each is for one request, in order.
    pub(crate) faults: BTreeMap<&'static str, VecDeque<Fault>>,
    pub(crate) seen: Vec<HubRequest>,
    /// Entries per page of a listing; 0 for one page.
    pub(crate) page: usize,
    /// If true, files are sent whole even if a range is requested.
    pub(crate) ignores_ranges: bool,
    hub: String,
    storage: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct HubServer(Arc<Mutex<World>>);

impl HubServer {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Stores a file of the converted branch, whose commit is [`COMMIT`].
    pub(crate) fn put_converted(&self, dataset: &str, path: &str, body: &[u8]) {
        self.put(dataset, "refs/convert/parquet", COMMIT, path, body);
    }

    pub(crate) fn put(&self, dataset: &str, revision: &str, commit: &str, path: &str, body: &[u8]) {
        let mut world = self.world();
        world.revisions.insert((dataset.to_owned(), revision.to_owned()), commit.to_owned());
        world.revisions.insert((dataset.to_owned(), commit.to_owned()), commit.to_owned());
        world.files.insert((dataset.to_owned(), commit.to_owned(), path.to_owned()), body.to_vec());
    }

    pub(crate) fn fault(&self, part: &'static str, fault: Fault) {
        self.world().faults.entry(part).or_default().push_back(fault);
    }

    /// Starts to serve, and returns the endpoint.
    pub(crate) async fn serve(&self) -> String {
        let (hub, storage) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        {
            let mut world = self.world();
            (world.hub, world.storage) = (address(&hub), address(&storage));
        }
        let endpoint = address(&hub);
        for (listener, is_of_hub) in [(hub, true), (storage, false)] {
            let server = self.clone();
            tokio::spawn(async move {
                while let Ok((connection, _)) = listener.accept().await {
                    tokio::spawn(server.clone().serve_one(connection, is_of_hub));
                }
            });
        }
        endpoint
    }

    /// One request per connection.
    async fn serve_one(self, mut connection: TcpStream, is_of_hub: bool) {
        let mut head = Vec::new();
        let mut byte = [0; 1];
        while !head.ends_with(b"\r\n\r\n") {
            if connection.read(&mut byte).await.unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let seen = HubRequest {
            is_of_hub,
            target: head.split(' ').nth(1).unwrap().to_owned(),
            token: header("authorization"),
            range: header("range"),
        };
        let (mut reply, fault) = {
            let mut world = self.world();
            let fault =
                world.faults.iter_mut().find(|(part, faults)| seen.target.contains(**part) && !faults.is_empty());
            let fault = fault.and_then(|(_, faults)| faults.pop_front());
            world.seen.push(seen.clone());
            (if is_of_hub { hub(&world, &seen) } else { storage(&world, &seen) }, fault)
        };
        let (mut cut, mut drip) = (None, None);
        match fault {
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Status(status, headers)) => reply = Reply { status, headers, body: Vec::new() },
            Some(Fault::Cut(after)) => cut = Some(after),
            Some(Fault::Drip(interval)) => drip = Some(interval),
            None => {}
        }
        let mut text =
            format!("HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        for (name, value) in &reply.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        let body = &reply.body[..cut.unwrap_or(reply.body.len()).min(reply.body.len())];
        if let Some(interval) = drip {
            let _ = connection.write_all(&[text.as_bytes(), b"\r\n"].concat()).await;
            for byte in body {
                if connection.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(interval).await;
            }
        } else {
            let _ = connection.write_all(&[text.as_bytes(), b"\r\n", body].concat()).await;
        }
        let _ = connection.shutdown().await;
    }
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn json_reply(value: &Value) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: value.to_string().into_bytes() }
}

fn refused(status: u16, code: &str) -> Reply {
    Reply { status, headers: vec![("x-error-code", code.to_owned())], body: Vec::new() }
}

fn decoded(part: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn hub(world: &World, seen: &HubRequest) -> Reply {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let parts: Vec<String> = path.trim_start_matches('/').split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let revision = |dataset: &str, name: &str| world.revisions.get(&(dataset.to_owned(), name.to_owned()));
    let exists = |dataset: &str| world.revisions.keys().any(|(found, _)| found == dataset);
    match parts.as_slice() {
        ["api", "datasets", owner, name, "revision", wanted] => {
            let dataset = format!("{owner}/{name}");
            match revision(&dataset, wanted) {
                Some(commit) => json_reply(&json!({"id": dataset, "sha": commit, "private": false, "gated": false})),
                None if exists(&dataset) => refused(404, "RevisionNotFound"),
                None => refused(if seen.token.is_some() { 404 } else { 401 }, "RepoNotFound"),
            }
        }
        ["api", "datasets", owner, name, "tree", commit, folder @ ..] => {
            let folder = folder.join("/");
            tree(world, &format!("{owner}/{name}"), commit, &folder, path, query)
        }
        ["datasets", owner, name, "resolve", commit, file @ ..] => {
            let file = file.join("/");
            let key = (format!("{owner}/{name}"), (*commit).to_owned(), file.clone());
            if !world.files.contains_key(&key) {
                return refused(404, "EntryNotFound");
            }
            let location = format!("{}/blob/{owner}/{name}/{commit}/{file}?signature=secret", world.storage);
            let headers = vec![("location", location), ("x-repo-commit", (*commit).to_owned())];
            Reply { status: 302, headers, body: Vec::new() }
        }
        _ => refused(404, "EntryNotFound"),
    }
}

fn tree(world: &World, dataset: &str, commit: &str, folder: &str, path: &str, query: &str) -> Reply {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let of_commit = world.files.iter().filter(|((found, at, _), _)| found == dataset && at == commit);
    let below: Vec<(&str, usize)> = of_commit
        .filter_map(|((_, _, path), body)| path.starts_with(&prefix).then_some((path.as_str(), body.len())))
        .collect();
    if below.is_empty() {
        return refused(404, "EntryNotFound");
    }
    let is_recursive = query.contains("recursive=true");
    let mut entries: BTreeMap<String, Value> = BTreeMap::new();
    for (path, bytes) in below {
        let rest = &path[prefix.len()..];
        match rest.split_once('/') {
            Some((name, _)) if !is_recursive => {
                let path = format!("{prefix}{name}");
                entries.insert(path.clone(), json!({"type": "directory", "oid": "d", "size": 0, "path": path}));
            }
            _ => {
                let large = json!({"oid": format!("sha-of-{path}"), "size": bytes, "pointerSize": 134});
                let entry =
                    json!({"type": "file", "oid": "g", "size": bytes, "path": path, "lfs": large, "xetHash": "x"});
                entries.insert(path.to_owned(), entry);
            }
        }
    }
    let all: Vec<Value> = entries.into_values().collect();
    let from = query.split('&').find_map(|field| field.strip_prefix("cursor=")?.parse().ok()).unwrap_or(0);
    let page = if world.page == 0 { all.len() } else { world.page };
    let to = (from + page).min(all.len());
    let mut reply = json_reply(&Value::Array(all[from..to].to_vec()));
    if to < all.len() {
        // As the Hub does: with its own host, whatever the mirror.
        let recursive = if is_recursive { "recursive=true&" } else { "" };
        let next = format!("<https://huggingface.co{path}?{recursive}cursor={to}>; rel=\"next\"");
        reply.headers.push(("link", next));
    }
    reply
}

fn storage(world: &World, seen: &HubRequest) -> Reply {
    let path = seen.target.split('?').next().unwrap();
    let parts: Vec<String> = path.trim_start_matches("/blob/").split('/').map(decoded).collect();
    let key = (format!("{}/{}", parts[0], parts[1]), parts[2].clone(), parts[3..].join("/"));
    let Some(body) = world.files.get(&key) else { return refused(403, "AccessDenied") };
    let range = seen.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let Some((from, to)) = range.filter(|_| !world.ignores_ranges) else {
        return Reply { status: 200, headers: Vec::new(), body: body.clone() };
    };
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    let headers = vec![("content-range", format!("bytes {from}-{to}/{}", body.len()))];
    Reply { status: 206, headers, body: body[from..=to].to_vec() }
}
