//! Why there is no answer from the host, and which CNI error that is. The one table of it.

use std::time::Duration;

use http::StatusCode;

use crate::answer::{CniError, code};

/// gRPC status codes, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Status {
    pub const ALL: [(Status, &'static str); 16] = [
        (Status::Cancelled, "CANCELLED"),
        (Status::Unknown, "UNKNOWN"),
        (Status::InvalidArgument, "INVALID_ARGUMENT"),
        (Status::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        (Status::NotFound, "NOT_FOUND"),
        (Status::AlreadyExists, "ALREADY_EXISTS"),
        (Status::PermissionDenied, "PERMISSION_DENIED"),
        (Status::ResourceExhausted, "RESOURCE_EXHAUSTED"),
        (Status::FailedPrecondition, "FAILED_PRECONDITION"),
        (Status::Aborted, "ABORTED"),
        (Status::OutOfRange, "OUT_OF_RANGE"),
        (Status::Unimplemented, "UNIMPLEMENTED"),
        (Status::Internal, "INTERNAL"),
        (Status::Unavailable, "UNAVAILABLE"),
        (Status::DataLoss, "DATA_LOSS"),
        (Status::Unauthenticated, "UNAUTHENTICATED"),
    ];

    /// A number that gRPC does not have reads as UNKNOWN.
    pub fn of(number: u32) -> Status {
        let known = Status::ALL.iter().find(|(status, _)| *status as u32 == number);
        known.map_or(Status::Unknown, |(status, _)| *status)
    }

    /// gRPC, "HTTP to gRPC status code mapping": for answers that do not come from a gRPC server.
    pub fn of_http(status: StatusCode) -> Status {
        match status.as_u16() {
            400 => Status::Internal,
            401 => Status::Unauthenticated,
            403 => Status::PermissionDenied,
            404 => Status::Unimplemented,
            429 | 502 | 503 | 504 => Status::Unavailable,
            _ => Status::Unknown,
        }
    }

    /// gRPC over HTTP/2, "HTTP2 error codes to gRPC status".
    fn of_reset(reason: h2::Reason) -> Status {
        match reason {
            h2::Reason::REFUSED_STREAM | h2::Reason::ENHANCE_YOUR_CALM => Status::Unavailable,
            h2::Reason::CANCEL => Status::Cancelled,
            h2::Reason::INADEQUATE_SECURITY => Status::PermissionDenied,
            _ => Status::Internal,
        }
    }

    fn name(self) -> &'static str {
        Status::ALL.iter().find(|(status, _)| *status == self).map_or("UNKNOWN", |(_, name)| *name)
    }

    fn cni_code(self) -> u32 {
        match self {
            Status::Unavailable | Status::DeadlineExceeded | Status::Cancelled | Status::Aborted => {
                code::TRY_AGAIN_LATER
            }
            // What grpc-js answers to a request above its receive limit: repeating does not make it smaller.
            Status::ResourceExhausted => code::INVALID_CONFIG,
            Status::PermissionDenied | Status::Unauthenticated => code::NOT_ALLOWED,
            Status::Unknown
            | Status::InvalidArgument
            | Status::NotFound
            | Status::AlreadyExists
            | Status::FailedPrecondition
            | Status::OutOfRange
            | Status::Unimplemented
            | Status::Internal
            | Status::DataLoss => code::HOST_FAULT,
        }
    }
}

/// Why a call on an open connection brought no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The host answered with a status other than OK.
    Status(Status, String),
    /// An answer came that is none.
    Malformed(String),
    /// The connection ended before the answer: the host was stopped or killed.
    Lost(String),
    /// What listens at the socket does not speak HTTP/2.
    NotHttp2(String),
    Closed,
    DeadlineExceeded,
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Failure {
        match error.reason() {
            Some(reason) if error.is_reset() && error.is_remote() => {
                Failure::Status(Status::of_reset(reason), error.to_string())
            }
            Some(_) if error.is_reset() => Failure::Malformed(error.to_string()),
            Some(_) if error.is_go_away() && !error.is_remote() => Failure::NotHttp2(error.to_string()),
            _ => Failure::Lost(error.to_string()),
        }
    }
}

impl Failure {
    pub fn to_cni_error(&self, timeout: Duration) -> CniError {
        let transient = |msg: &str| CniError::new(code::TRY_AGAIN_LATER, format!("{msg}; try again later"));
        match self {
            Failure::Status(status, message) => {
                let msg = match status.cni_code() {
                    code::TRY_AGAIN_LATER => "Plugin host cannot serve the call now; try again later",
                    code::INVALID_CONFIG => {
                        "Plugin host refuses a request of this size: shorten the network configuration"
                    }
                    code::NOT_ALLOWED => "Plugin host does not accept calls from this user: run the shim as root",
                    _ if *status == Status::Unimplemented => {
                        "Plugin host does not know the shim's call: install shim and host of the same release"
                    }
                    _ => "Plugin host failed: see its log",
                };
                let details = if message.is_empty() { String::new() } else { format!(": {message}") };
                CniError::new(status.cni_code(), msg).details(format!("gRPC status {}{details}", status.name()))
            }
            Failure::Malformed(why) => {
                CniError::new(code::HOST_FAULT, "Plugin host sent an answer that cannot be read: see its log")
                    .details(why)
            }
            Failure::Lost(why) => transient("Plugin host stopped during the call").details(why),
            Failure::Closed => transient("Plugin host closed the connection without an answer"),
            Failure::NotHttp2(why) => {
                transient("What listens at the plugin host's socket does not speak gRPC: see `patchbay doctor`")
                    .details(why)
            }
            Failure::DeadlineExceeded => transient(&format!(
                "Plugin host did not answer within {} s: see `patchbay doctor`",
                timeout.as_secs_f64()
            )),
        }
    }
}
