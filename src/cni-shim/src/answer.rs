//! What the shim prints when it has to answer itself: a CNI error object or the supported versions.

use std::fmt::Display;

/// Error codes, CNI 1.1.0 section 5, and from 100 Patchbay's own. Never 3: it tells the runtime to skip its cleanup.
pub mod code {
    pub const ENVIRONMENT: u32 = 4;
    pub const IO: u32 = 5;
    pub const UNDECODABLE: u32 = 6;
    pub const INVALID_CONFIG: u32 = 7;
    pub const TRY_AGAIN_LATER: u32 = 11;
    pub const NOT_AVAILABLE: u32 = 50;
    pub const HOST_FAULT: u32 = 100;
    pub const NOT_ALLOWED: u32 = 101;
}

const SUPPORTED_VERSIONS: [&str; 5] = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

/// An error on its way to standard output, still without the configuration's cniVersion.
#[derive(Debug, Clone, PartialEq)]
pub struct CniError {
    pub code: u32,
    pub msg: String,
    pub details: String,
}

impl CniError {
    pub fn new(code: u32, msg: impl Into<String>) -> CniError {
        CniError { code, msg: msg.into(), details: String::new() }
    }

    pub fn details(mut self, details: impl Display) -> CniError {
        self.details = details.to_string();
        self
    }

    /// The host may be there the next time: the runtime should repeat the call.
    pub fn is_transient(&self) -> bool {
        self.code == code::TRY_AGAIN_LATER
    }

    pub fn to_json(&self, cni_version: &str) -> Vec<u8> {
        let mut json = format!("{{\"cniVersion\":{},\"code\":{}", text(cni_version), self.code);
        json += &format!(",\"msg\":{}", text(&self.msg));
        if !self.details.is_empty() {
            json += &format!(",\"details\":{}", text(&self.details));
        }
        json += "}\n";
        json.into_bytes()
    }
}

/// The answer to VERSION, which the shim knows without the host.
pub fn versions_json(cni_version: &str) -> Vec<u8> {
    let supported = SUPPORTED_VERSIONS.map(text).join(",");
    format!("{{\"cniVersion\":{},\"supportedVersions\":[{supported}]}}\n", text(cni_version)).into_bytes()
}

/// A JSON string literal.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
