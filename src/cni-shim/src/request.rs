//! What the runtime hands over: environment and standard input, copied into the message for the host.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::answer::{CniError, code};
use crate::connect::timespec;
use crate::message::{Command, InvokeRequest, TraceContext};

pub const STDIN_LIMIT_BYTES: usize = 1024 * 1024;
pub const DEFAULT_CNI_VERSION: &str = "1.1.0";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(90);
const TIMEOUT_SECONDS: std::ops::RangeInclusive<f64> = 1.0..=3600.0;
/// A runtime asks for these while it decides whether the node works: an answer must come before it loses patience.
const VERSION_TIMEOUT: Duration = Duration::from_secs(2);
const STATUS_TIMEOUT: Duration = Duration::from_secs(10);

/// What the shim itself takes from the network configuration. Everything else is the host's.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub cni_version: String,
    pub root: String,
    pub timeout: Duration,
    /// Standard input was one JSON object.
    pub well_formed: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            cni_version: DEFAULT_CNI_VERSION.to_owned(),
            root: "/".to_owned(),
            timeout: DEFAULT_TIMEOUT,
            well_formed: false,
        }
    }
}

impl Settings {
    /// Never fails: what cannot be read keeps its default, so that even an error about bad JSON has a version.
    pub fn parse(config: &[u8]) -> Settings {
        let mut settings = Settings::default();
        let mut json = serde_json::Deserializer::from_slice(config);
        let read = json.deserialize_map(SettingsVisitor(&mut settings)).and_then(|()| json.end());
        settings.well_formed = read.is_ok();
        settings
    }

    /// The root leads to the socket: a relative one would depend on the folder that the runtime happens to be in.
    pub fn check(&self) -> Result<(), CniError> {
        if self.root.starts_with('/') && !self.root.contains('\0') {
            return Ok(());
        }
        Err(CniError::new(code::INVALID_CONFIG, "\"root\" in the network configuration must be an absolute path")
            .details(format!("{:?}", self.root)))
    }

    /// When the answer must be there at the latest.
    pub fn deadline(&self, command: Command, started: Instant) -> Instant {
        let timeout = match command {
            Command::Version => self.timeout.min(VERSION_TIMEOUT),
            Command::Status => self.timeout.min(STATUS_TIMEOUT),
            Command::Add | Command::Del | Command::Check | Command::Gc => self.timeout,
        };
        started + timeout
    }
}

struct SettingsVisitor<'a>(&'a mut Settings);

impl<'de> Visitor<'de> for SettingsVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("a network configuration object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        use serde_json::Value;
        let settings = self.0;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "cniVersion" => {
                    if let Value::String(version) = map.next_value()? {
                        settings.cni_version = version;
                    }
                }
                "root" => {
                    if let Value::String(root) = map.next_value()? {
                        settings.root = root;
                    }
                }
                "timeoutSeconds" => {
                    if let Some(seconds) = map.next_value::<Value>()?.as_f64() {
                        let seconds = seconds.clamp(*TIMEOUT_SECONDS.start(), *TIMEOUT_SECONDS.end());
                        settings.timeout = Duration::from_secs_f64(seconds);
                    }
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Reads standard input to its end. The configuration's own deadline is not known yet, so the default one holds.
pub fn read_stdin(started: Instant) -> (Vec<u8>, Result<(), CniError>) {
    let mut bytes = Vec::with_capacity(4096);
    let result = fill(&mut bytes, started + DEFAULT_TIMEOUT);
    (bytes, result)
}

fn fill(bytes: &mut Vec<u8>, deadline: Instant) -> Result<(), CniError> {
    let stdin = rustix::stdio::stdin();
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&timespec(remaining))) {
            Ok(0) => {
                return Err(CniError::new(code::IO, "Cannot read the network configuration from standard input")
                    .details("the runtime did not close it in time"));
            }
            Err(rustix::io::Errno::INTR) => continue,
            Ok(_) | Err(_) => {}
        }
        bytes.reserve(4096);
        let start = bytes.len();
        bytes.resize(bytes.capacity(), 0);
        let read = rustix::io::read(stdin, &mut bytes[start..]);
        bytes.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => return Ok(()),
            Ok(_) if bytes.len() > STDIN_LIMIT_BYTES => {
                return Err(CniError::new(
                    code::INVALID_CONFIG,
                    "Network configuration on standard input is larger than 1 MiB: shorten it",
                ));
            }
            Ok(_) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(error) => {
                return Err(CniError::new(code::IO, "Cannot read the network configuration from standard input")
                    .details(io::Error::from(error)));
            }
        }
    }
}

/// Copies the environment. `variable` is std::env::var_os, a table in tests.
pub fn request(
    command: Command,
    config_json: Vec<u8>,
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<InvokeRequest, CniError> {
    let text = |name: &str| match variable(name).map(|value| value.into_string()) {
        None => Ok(String::new()),
        Some(Ok(text)) => Ok(text),
        Some(Err(value)) => Err(CniError::new(code::ENVIRONMENT, format!("{name} is not valid UTF-8"))
            .details(String::from_utf8_lossy(OsStr::as_bytes(&value)))),
    };
    // A broken trace must not cost a pod its network.
    let trace = TraceContext {
        traceparent: text("TRACEPARENT").unwrap_or_default(),
        tracestate: text("TRACESTATE").unwrap_or_default(),
        baggage: text("BAGGAGE").unwrap_or_default(),
    };
    Ok(InvokeRequest {
        command: command as i32,
        container_id: text("CNI_CONTAINERID")?,
        netns: text("CNI_NETNS")?,
        ifname: text("CNI_IFNAME")?,
        args: text("CNI_ARGS")?,
        path: text("CNI_PATH")?,
        config_json,
        trace: (trace != TraceContext::default()).then_some(trace),
        shim_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn settings_take_only_the_top_level() {
        let settings = Settings::parse(
            br#"{"ipam":{"root":"/x","cniVersion":"9"},"cniVersion":"0.4.0","timeoutSeconds":2.5,"root":"/r"}"#,
        );
        let expected = Settings {
            cni_version: "0.4.0".into(),
            root: "/r".into(),
            timeout: Duration::from_millis(2500),
            well_formed: true,
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn timeout_stays_between_1_and_3600_seconds() {
        for (written, seconds) in
            [("0", 1), ("-5", 1), ("1e300", 3600), ("3601", 3600), ("30", 30), ("\"5\"", 90), ("null", 90), ("[1]", 90)]
        {
            let config = format!("{{\"timeoutSeconds\":{written}}}");
            assert_eq!(Settings::parse(config.as_bytes()).timeout, Duration::from_secs(seconds), "{written}");
        }
    }

    #[test]
    fn settings_before_a_fault_count() {
        for fault in ["", "x", "\"root\":", "\"a\":tru", "\"timeoutSeconds\":1e999}", "\"a\":1}}"] {
            let settings = Settings::parse(format!("{{\"cniVersion\":\"0.3.1\",\"a\":1,{fault}").as_bytes());
            assert_eq!((settings.cni_version.as_str(), settings.well_formed), ("0.3.1", false), "{fault}");
        }
    }

    #[test]
    fn nested_configuration_is_read_or_refused_without_overflow() {
        for depth in [100, 100_000] {
            for key in ["a", "root"] {
                let config = format!("{{\"{key}\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
                assert_eq!(Settings::parse(config.as_bytes()).root, "/");
            }
        }
    }

    #[test]
    fn a_runtime_that_polls_is_not_kept_waiting() {
        let now = Instant::now();
        let seconds = |timeout, command| {
            let settings = Settings { timeout: Duration::from_secs(timeout), ..Settings::default() };
            (settings.deadline(command, now) - now).as_secs()
        };
        assert_eq!(
            [seconds(90, Command::Version), seconds(90, Command::Status), seconds(90, Command::Add)],
            [2, 10, 90]
        );
        assert_eq!(
            [seconds(1, Command::Version), seconds(5, Command::Status), seconds(300, Command::Del)],
            [1, 5, 300]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn settings_of_any_bytes(config in proptest::collection::vec(any::<u8>(), 0..300)) {
            Settings::parse(&config);
        }

        #[test]
        fn settings_of_any_json_like_text(config in r#"\{("(root|cniVersion|timeoutSeconds|x)":("[a-z/]*"|-?[0-9.e]{1,9}|null|\{\}|\[\]),?){0,4}\}"#) {
            Settings::parse(config.as_bytes());
        }
    }
}
