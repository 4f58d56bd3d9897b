//! Runs the shim's binary, and plays hosts that behave and misbehave, byte by byte.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

pub const BINARY: &str = env!("CARGO_BIN_EXE_patchbay");
pub const VERBS: [&str; 6] = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];
pub const SUPPORTED: [&str; 5] = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// A root folder of its own, removed at the end.
pub struct Root(pub PathBuf);

impl Root {
    pub fn new() -> Root {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("patchbay-shim-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = Root(std::env::temp_dir().join(name));
        std::fs::create_dir_all(root.0.join("run/patchbay")).expect("root folder");
        root
    }

    pub fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    pub fn socket(&self) -> PathBuf {
        self.0.join("run/patchbay/shim.sock")
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("var/lib/patchbay/del-journal")
    }

    /// Names in the journal folder, temporary ones included.
    pub fn journal_names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.journal()) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// The deadline is far away, so that a slow machine does not meet it by accident.
    pub fn config(&self) -> String {
        format!(r#"{{"cniVersion":"1.1.0","name":"n","type":"patchbay","root":"{}","timeoutSeconds":60}}"#, self.path())
    }

    pub fn shim(&self, verb: &str) -> Shim {
        let mut command = Command::new(BINARY);
        command.env_clear().env("CNI_CONTAINERID", "pod-1").env("CNI_IFNAME", "eth0").env("CNI_NETNS", "/run/netns/x");
        command.env("CNI_COMMAND", verb);
        Shim { command, config: self.config().into_bytes() }
    }

    pub fn listen(&self) -> UnixListener {
        UnixListener::bind(self.socket()).expect("bind")
    }

    /// A host that plays `script` to each of `connections` connections, one after the other.
    pub fn host(&self, connections: usize, script: impl Fn(&mut Connection) + Send + 'static) -> JoinHandle<()> {
        let listener = self.listen();
        std::thread::spawn(move || {
            for _ in 0..connections {
                let stream = listener.accept().expect("accept").0;
                stream.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
                script(&mut Connection { stream });
            }
        })
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub struct Shim {
    pub command: Command,
    pub config: Vec<u8>,
}

pub struct Answer {
    pub stdout: Vec<u8>,
    pub stderr: String,
    /// None: killed by a signal.
    pub exit_code: Option<i32>,
    pub took: Duration,
}

impl Shim {
    pub fn env(mut self, name: &str, value: &str) -> Shim {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Shim {
        self.command.env_remove(name);
        self
    }

    pub fn config(mut self, config: impl Into<Vec<u8>>) -> Shim {
        self.config = config.into();
        self
    }

    /// For a host that will not answer.
    pub fn deadline_of_1_second(mut self) -> Shim {
        let config = String::from_utf8(self.config).expect("UTF-8");
        self.config = config.replace("\"timeoutSeconds\":60", "\"timeoutSeconds\":1").into_bytes();
        self
    }

    pub fn start(mut self) -> Running {
        let started = Instant::now();
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the shim starts");
        // The shim stops reading above its limit, then the pipe breaks.
        let _ = child.stdin.take().expect("stdin").write_all(&self.config);
        Running { child, started }
    }

    pub fn run(self) -> Answer {
        self.start().finish()
    }
}

pub struct Running {
    pub child: Child,
    started: Instant,
}

impl Running {
    pub fn finish(self) -> Answer {
        let Output { status, stdout, stderr } = self.child.wait_with_output().expect("the shim ends");
        Answer {
            stdout,
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            exit_code: status.code(),
            took: self.started.elapsed(),
        }
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The CNI error object; fails when it is none.
    pub fn error(&self) -> Value {
        assert_eq!(self.stderr, "");
        assert_eq!(self.exit_code, Some(1), "{}", self.text());
        let error: Value = serde_json::from_slice(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {}", self.text()));
        assert!(error["cniVersion"].is_string() && error["msg"].is_string(), "{error}");
        let code = error["code"].as_u64().expect("a number");
        assert!(code > 0 && code != 3, "{error}");
        error
    }

    pub fn expect_error(&self, code: u64) -> Value {
        let error = self.error();
        assert_eq!(error["code"], code, "{error}");
        let transient = code == 11 || code == 50;
        assert_eq!(error["msg"].as_str().expect("text").contains("try again later"), transient, "{error}");
        error
    }

    pub fn expect_success(&self, stdout: &str) {
        assert_eq!((self.text().as_str(), self.stderr.as_str(), self.exit_code), (stdout, "", Some(0)));
    }

    /// What each verb answers where ADD answers 11: DEL is in the journal, STATUS says 50, VERSION knows by itself.
    pub fn expect_no_host(&self, verb: &str) {
        match verb {
            "DEL" => self.expect_success(""),
            "STATUS" => drop(self.expect_error(50)),
            "VERSION" => {
                assert_eq!(self.exit_code, Some(0), "{}", self.text());
                let answer: Value = serde_json::from_slice(&self.stdout).expect("JSON");
                assert_eq!(answer["supportedVersions"], serde_json::json!(SUPPORTED));
            }
            _ => drop(self.expect_error(11)),
        }
    }
}

/// The host's end of one connection.
pub struct Connection {
    pub stream: UnixStream,
}

impl Connection {
    /// Reads preface and frames until the shim has said all; gives the gRPC message.
    pub fn read_request(&mut self) -> Vec<u8> {
        let mut preface = [0; 24];
        self.stream.read_exact(&mut preface).expect("preface");
        assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut body = Vec::new();
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).expect("frame");
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).expect("payload");
            if head[3] == DATA {
                body.extend_from_slice(&payload);
                // The windows are those of the protocol's start, 64 KiB: give back what was used.
                for stream in [0, 1] {
                    self.send(&frame(WINDOW_UPDATE, 0, stream, &(length as u32).max(1).to_be_bytes()));
                }
                if head[4] & END_STREAM != 0 {
                    assert_eq!(body[0], 0, "not compressed");
                    assert_eq!(u32::from_be_bytes([body[1], body[2], body[3], body[4]]) as usize, body.len() - 5);
                    return body.split_off(5);
                }
            }
        }
    }

    /// The shim may be gone already: that is its right.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Waits for the shim to hang up.
    pub fn wait_for_end(&mut self) {
        let mut bytes = [0; 4096];
        while self.stream.read(&mut bytes).is_ok_and(|read| read > 0) {}
    }
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

pub fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

/// HPACK: each field a literal without indexing and without Huffman coding.
pub fn headers(fields: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "one length byte");
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    frame(HEADERS, END_HEADERS | flags, 1, &block)
}

pub fn ok_headers() -> Vec<u8> {
    headers(&[(":status", "200"), ("content-type", "application/grpc+proto")], 0)
}

/// A gRPC message in DATA frames of the protocol's largest initial size.
pub fn data(message: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(message);
    body.chunks(16384).flat_map(|chunk| frame(DATA, 0, 1, chunk)).collect()
}

pub fn trailers(status: &str) -> Vec<u8> {
    headers(&[("grpc-status", status)], END_STREAM)
}

pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut encoded = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 128 {
        encoded.push(length as u8 | 128);
        length >>= 7;
    }
    encoded.push(length as u8);
    encoded.extend_from_slice(bytes);
    encoded
}

/// InvokeResponse, written independently of the shim's own code.
pub fn response(result_json: &[u8], exit_code: u8) -> Vec<u8> {
    let mut message = field(1, result_json);
    if exit_code != 0 {
        message.extend_from_slice(&[2 << 3, exit_code]);
    }
    message
}

pub fn answer(message: &[u8]) -> Vec<u8> {
    [settings(), ok_headers(), data(message), trailers("0")].concat()
}

/// Fields of a message by number: length-delimited ones as bytes, varints as their value in eight bytes.
pub fn fields(mut message: &[u8]) -> Vec<(u8, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        value
    }
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = varint(&mut message);
        let number = (key >> 3) as u8;
        match key & 7 {
            0 => fields.push((number, value.to_be_bytes().to_vec())),
            2 => {
                let (bytes, rest) = message.split_at(value as usize);
                fields.push((number, bytes.to_vec()));
                message = rest;
            }
            other => panic!("wire type {other}"),
        }
    }
    fields
}

pub fn text_field(message: &[u8], number: u8) -> String {
    let value = fields(message).into_iter().find(|(found, _)| *found == number);
    String::from_utf8(value.map(|(_, bytes)| bytes).unwrap_or_default()).expect("UTF-8")
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("metadata").permissions().mode() & 0o7777
}
