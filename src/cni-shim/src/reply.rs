//! The host's answer on the wire: HTTP/2 headers, one gRPC frame, trailers. Pure, so that it can be fuzzed.

use bytes::Buf;
use http::{HeaderMap, StatusCode};
use prost::Message;

use crate::message::InvokeResponse;
use crate::status::{Failure, Status};

/// A CNI result has a few kilobytes. The bound keeps a broken host from filling the node's memory.
pub const ANSWER_LIMIT_BYTES: usize = 8 * 1024 * 1024;
pub const FRAME_HEADER_BYTES: usize = 5;

#[derive(Debug, Default)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

pub fn decode(reply: &Reply) -> Result<InvokeResponse, Failure> {
    check_head(reply)?;
    // A reply without a message has its status in the only headers there are.
    let status = reply.trailers.as_ref().and_then(find_status).or_else(|| find_status(&reply.headers));
    match status {
        None => Err(Failure::Malformed("it has no grpc-status".to_owned())),
        Some((0, _)) => decode_message(&reply.body),
        Some((number, message)) => Err(Failure::Status(Status::of(number), message)),
    }
}

/// Refuses what is no gRPC answer as soon as its headers are there.
pub fn check_head(reply: &Reply) -> Result<(), Failure> {
    if find_status(&reply.headers).is_some() {
        return Ok(());
    }
    if reply.status != StatusCode::OK {
        return Err(Failure::Status(Status::of_http(reply.status), format!("HTTP status {}", reply.status)));
    }
    let content_type = reply.headers.get("content-type").map_or(&b""[..], |value| value.as_bytes());
    if !content_type.starts_with(b"application/grpc") {
        return Err(Failure::Malformed(format!("its content-type is {:?}", String::from_utf8_lossy(content_type))));
    }
    Ok(())
}

/// Checks the part of the body that has arrived, so that an endless one is not read.
pub fn check_length(body: &[u8]) -> Result<(), Failure> {
    let Some(length) = frame_length(body)? else { return Ok(()) };
    if body.len() - FRAME_HEADER_BYTES > length {
        return Err(Failure::Malformed("there are bytes after its message".to_owned()));
    }
    Ok(())
}

fn decode_message(body: &[u8]) -> Result<InvokeResponse, Failure> {
    check_length(body)?;
    let length = frame_length(body)?.ok_or_else(|| Failure::Malformed("it has no message".to_owned()))?;
    let message = &body[FRAME_HEADER_BYTES..];
    if message.len() != length {
        return Err(Failure::Malformed(format!("its message has {} bytes instead of {length}", message.len())));
    }
    InvokeResponse::decode(message).map_err(|error| Failure::Malformed(error.to_string()))
}

fn frame_length(mut body: &[u8]) -> Result<Option<usize>, Failure> {
    if body.len() < FRAME_HEADER_BYTES {
        return Ok(None);
    }
    if body.get_u8() != 0 {
        return Err(Failure::Malformed("it is compressed, which was not asked for".to_owned()));
    }
    let length = body.get_u32() as usize;
    if length > ANSWER_LIMIT_BYTES {
        return Err(Failure::Malformed(format!("its message has {length} bytes, the limit is {ANSWER_LIMIT_BYTES}")));
    }
    Ok(Some(length))
}

/// grpc-status and the decoded grpc-message. A status that is no number reads as UNKNOWN (2).
fn find_status(headers: &HeaderMap) -> Option<(u32, String)> {
    let number = headers.get("grpc-status")?.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let message = headers.get("grpc-message").map_or(String::new(), |value| percent_decode(value.as_bytes()));
    Some((number, message))
}

/// gRPC over HTTP/2, "Percent-Encoded": what is no valid escape stays as it is.
fn percent_decode(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if let (b'%', Some(byte)) = (*first, tail.get(..2).and_then(hex_byte)) {
            decoded.push(byte);
            rest = &tail[2..];
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn header_value() -> impl Strategy<Value = http::HeaderValue> {
        proptest::collection::vec(any::<u8>(), 0..40)
            .prop_filter_map("header bytes", |bytes| http::HeaderValue::from_bytes(&bytes).ok())
    }

    fn header_map() -> impl Strategy<Value = HeaderMap> {
        let status = prop_oneof![(0..20u32).prop_map(http::HeaderValue::from), header_value()];
        let content_type = prop_oneof![Just(http::HeaderValue::from_static("application/grpc")), header_value()];
        (proptest::option::of(status), proptest::option::of(header_value()), proptest::option::of(content_type))
            .prop_map(|(status, message, content_type)| {
                let named = [("grpc-status", status), ("grpc-message", message), ("content-type", content_type)];
                named
                    .into_iter()
                    .filter_map(|(name, value)| Some((http::HeaderName::from_static(name), value?)))
                    .collect()
            })
    }

    fn body() -> impl Strategy<Value = Vec<u8>> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
        let framed = bytes().prop_map(|message| [&(message.len() as u64).to_be_bytes()[3..], &message].concat());
        let valid = (bytes(), any::<i32>(), ".*").prop_map(|(result_json, exit_code, host_version)| {
            let message = InvokeResponse { result_json, exit_code, host_version }.encode_to_vec();
            [&(message.len() as u64).to_be_bytes()[3..], &message].concat()
        });
        prop_oneof![bytes(), framed, valid]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn decode_never_panics_and_fails_with_a_cni_error(
            http_status in 100..600u16,
            headers in header_map(),
            body in body(),
            trailers in proptest::option::of(header_map()),
        ) {
            let status = StatusCode::from_u16(http_status).expect("in range");
            let reply = Reply { status, headers, body, trailers };
            if let Err(failure) = decode(&reply) {
                let error = failure.to_cni_error(Duration::from_secs(1));
                prop_assert!([7, 11, 100, 101].contains(&error.code));
                let json: serde_json::Value = serde_json::from_slice(&error.to_json("1.1.0")).expect("JSON");
                prop_assert_eq!(&json["msg"], &error.msg);
            }
        }

        #[test]
        fn what_a_host_encodes_is_decoded(result_json in proptest::collection::vec(any::<u8>(), 0..300), exit_code: i32, host_version in ".*") {
            let response = InvokeResponse { result_json, exit_code, host_version };
            let message = response.encode_to_vec();
            let mut headers = HeaderMap::new();
            headers.insert("content-type", http::HeaderValue::from_static("application/grpc"));
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
            let body = [&(message.len() as u64).to_be_bytes()[3..], &message].concat();
            let reply = Reply { headers, body, trailers: Some(trailers), ..Reply::default() };
            prop_assert_eq!(decode(&reply).expect("an answer"), response);
        }

        #[test]
        fn percent_decode_never_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'%'), any::<u8>()], 0..60)) {
            percent_decode(&bytes);
        }
    }

    #[test]
    fn percent_decode_of_the_cases_in_the_specification() {
        for (encoded, decoded) in [
            ("a%20b", "a b"),
            ("%C3%bc", "ü"),
            ("50%", "50%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%FF", "\u{fffd}"),
            ("%+1", "%+1"),
        ] {
            assert_eq!(percent_decode(encoded.as_bytes()), decoded);
        }
    }
}
