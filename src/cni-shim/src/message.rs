//! The three messages of proto/patchbay/shim/v1/shim.proto. Written by hand, since prost's derive is a
//! proc-macro and these cannot be built together with a static glibc; tests hold them equal to the .proto file.

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext, wire_type::WireType};

/// A CNI verb, CNI 1.1.0 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Add = 1,
    Del = 2,
    Check = 3,
    Gc = 4,
    Status = 5,
    Version = 6,
}

impl Command {
    pub const ALL: [(&'static str, Command); 6] = [
        ("ADD", Command::Add),
        ("DEL", Command::Del),
        ("CHECK", Command::Check),
        ("GC", Command::Gc),
        ("STATUS", Command::Status),
        ("VERSION", Command::Version),
    ];

    pub fn find(name: &str) -> Option<Command> {
        Command::ALL.iter().find(|(known, _)| *known == name).map(|(_, command)| *command)
    }
}

/// Implements prost's Message for a struct: field, its number, its kind in prost::encoding.
macro_rules! message {
    ($type:ident { $($field:ident = $number:literal $kind:ident;)* } $(optional $child:ident = $child_number:literal;)?) => {
        impl prost::Message for $type {
            fn encode_raw(&self, buffer: &mut impl BufMut) {
                $(if !is_default(&self.$field) { encoding::$kind::encode($number, &self.$field, buffer); })*
                $(if let Some(child) = &self.$child { encoding::message::encode($child_number, child, buffer); })?
            }

            fn merge_field(
                &mut self,
                number: u32,
                wire_type: WireType,
                buffer: &mut impl Buf,
                context: DecodeContext,
            ) -> Result<(), DecodeError> {
                match number {
                    $($number => encoding::$kind::merge(wire_type, &mut self.$field, buffer, context),)*
                    $($child_number => encoding::message::merge(
                        wire_type, self.$child.get_or_insert_with(Default::default), buffer, context),)?
                    _ => encoding::skip_field(wire_type, number, buffer, context),
                }
            }

            fn encoded_len(&self) -> usize {
                0 $(+ if !is_default(&self.$field) { encoding::$kind::encoded_len($number, &self.$field) } else { 0 })*
                $(+ self.$child.as_ref().map_or(0, |child| encoding::message::encoded_len($child_number, child)))?
            }

            fn clear(&mut self) {
                *self = Default::default();
            }
        }

        #[cfg(test)]
        impl $type {
            /// Name and number of each field, for the comparison with the .proto file.
            fn fields() -> Vec<(&'static str, u32)> {
                let fields = vec![$((stringify!($field), $number),)* $((stringify!($child), $child_number),)?];
                let mut fields: Vec<(&'static str, u32)> = fields;
                fields.sort_by_key(|(_, number)| *number);
                fields
            }
        }
    };
}

/// proto3 leaves a field out that has its default.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct InvokeRequest {
    pub command: i32,
    pub container_id: String,
    pub netns: String,
    pub ifname: String,
    pub args: String,
    pub path: String,
    pub config_json: Vec<u8>,
    pub trace: Option<TraceContext>,
    pub shim_version: String,
}

message!(InvokeRequest {
    command = 1 int32;
    container_id = 2 string;
    netns = 3 string;
    ifname = 4 string;
    args = 5 string;
    path = 6 string;
    config_json = 7 bytes;
    shim_version = 9 string;
} optional trace = 8;);

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceContext {
    pub traceparent: String,
    pub tracestate: String,
    pub baggage: String,
}

message!(TraceContext {
    traceparent = 1 string;
    tracestate = 2 string;
    baggage = 3 string;
});

#[derive(Clone, Debug, Default, PartialEq)]
pub struct InvokeResponse {
    pub result_json: Vec<u8>,
    pub exit_code: i32,
    pub host_version: String,
}

message!(InvokeResponse {
    result_json = 1 bytes;
    exit_code = 2 int32;
    host_version = 3 string;
});

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    const PROTO: &str = include_str!("../../../proto/patchbay/shim/v1/shim.proto");

    /// Lines "type name = number;" inside `message NAME {` or `enum NAME {`.
    fn declared(block: &str) -> Vec<(String, String, u32)> {
        let body = PROTO.split(&format!("{block} {{")).nth(1).expect("block in the .proto file");
        let body = body.split("\n}").next().expect("end of the block");
        let lines = body.lines().map(str::trim).filter(|line| !line.starts_with("//") && line.contains(" = "));
        lines
            .map(|line| {
                let (left, right) = line.trim_end_matches(';').split_once(" = ").expect("a field");
                let mut words = left.rsplitn(2, ' ');
                let name = words.next().expect("a name").to_owned();
                (words.next().unwrap_or("").to_owned(), name, right.parse().expect("a number"))
            })
            .collect()
    }

    fn expect_fields(block: &str, fields: &[(&'static str, u32)]) {
        let mut declared: Vec<_> = declared(block).into_iter().map(|(_, name, number)| (name, number)).collect();
        declared.sort_by_key(|(_, number)| *number);
        let ours: Vec<_> = fields.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        assert_eq!(declared, ours, "{block}");
    }

    #[test]
    fn messages_have_the_field_numbers_of_the_proto_file() {
        expect_fields("message InvokeRequest", &InvokeRequest::fields());
        expect_fields("message TraceContext", &TraceContext::fields());
        expect_fields("message InvokeResponse", &InvokeResponse::fields());
    }

    #[test]
    fn messages_have_the_types_of_the_proto_file() {
        let types = |block: &str| declared(block).into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>().join(" ");
        assert_eq!(
            types("message InvokeRequest"),
            "Command string string string string string bytes TraceContext string"
        );
        assert_eq!(types("message TraceContext"), "string string string");
        assert_eq!(types("message InvokeResponse"), "bytes int32 string");
    }

    #[test]
    fn commands_have_the_numbers_of_the_proto_file() {
        let ours = Command::ALL.iter().map(|(name, command)| (format!("COMMAND_{name}"), *command as u32));
        let all: Vec<_> = [("COMMAND_UNSPECIFIED".to_owned(), 0)].into_iter().chain(ours).collect();
        let declared: Vec<_> = declared("enum Command").into_iter().map(|(_, name, number)| (name, number)).collect();
        assert_eq!(declared, all);
    }

    #[test]
    fn the_method_path_is_that_of_the_proto_file() {
        assert!(PROTO.contains("package patchbay.shim.v1;"));
        assert!(PROTO.contains("service Shim {"));
        assert!(PROTO.contains("rpc Invoke(InvokeRequest) returns (InvokeResponse);"));
        assert!(crate::call::URI.ends_with("/patchbay.shim.v1.Shim/Invoke"));
    }

    #[test]
    fn request_keeps_every_field() {
        let request = InvokeRequest {
            command: Command::Gc as i32,
            container_id: "c".into(),
            netns: "/n".into(),
            ifname: "eth0".into(),
            args: "K=V".into(),
            path: "/opt".into(),
            config_json: b"{}".to_vec(),
            trace: Some(TraceContext { traceparent: "a".into(), tracestate: "b".into(), baggage: "c".into() }),
            shim_version: "1.2.3".into(),
        };
        let bytes = request.encode_to_vec();
        assert_eq!(bytes.len(), request.encoded_len());
        assert_eq!(InvokeRequest::decode(bytes.as_slice()).expect("decodes"), request);
    }

    #[test]
    fn response_ignores_fields_that_it_does_not_know_and_defaults_absent_ones() {
        let bytes = [0x10, 0x01, 0xfa, 0x07, 0x02, b'h', b'i', 0xa0, 0x06, 0x2a];
        let response = InvokeResponse::decode(bytes.as_slice()).expect("decodes");
        assert_eq!(response, InvokeResponse { exit_code: 1, ..Default::default() });
    }
}
