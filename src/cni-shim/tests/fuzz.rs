//! Whatever a host sends: the shim ends by itself, in time, without a word on stderr, and either prints a CNI error or
//! passes an answer through.

mod support;

use std::os::unix::net::UnixListener;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::*;

const CASES: u32 = 250;

struct Host {
    root: Root,
    listener: UnixListener,
}

impl Host {
    fn new() -> Host {
        let root = Root::new();
        let listener = root.listen();
        Host { root, listener }
    }

    fn answer_with(&self, bytes: &[u8]) -> Answer {
        let shim = self.root.shim("ADD").start();
        let mut connection = Connection { stream: self.listener.accept().expect("accept").0 };
        connection.read_request();
        connection.send(bytes);
        connection.stream.shutdown(std::net::Shutdown::Write).expect("shutdown");
        shim.finish()
    }
}

fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&strategy, test).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn random_bytes_are_an_error() {
    let host = Host::new();
    run(proptest::collection::vec(any::<u8>(), 0..600), |bytes| {
        host.answer_with(&bytes).error();
        Ok(())
    });
}

#[test]
fn random_frames_are_an_error() {
    let host = Host::new();
    let one = (0..11u8, any::<u8>(), 0..4u32, proptest::collection::vec(any::<u8>(), 0..40));
    run(proptest::collection::vec(one, 0..12), |frames| {
        let frames = frames.iter().flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload));
        host.answer_with(&[settings(), frames.collect()].concat()).error();
        Ok(())
    });
}

#[derive(Debug, Clone)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        4 => (place(), 1..=255u8).prop_map(|(place, byte)| Mutation::Flip(place, byte)),
        1 => (place(), any::<u8>()).prop_map(|(place, byte)| Mutation::Insert(place, byte)),
        1 => place().prop_map(Mutation::Remove),
        1 => place().prop_map(Mutation::Truncate),
    ]
}

#[test]
fn mutated_answers_are_an_error_or_pass() {
    let host = Host::new();
    let valid = answer(&[response(b"{\"cniVersion\":\"1.1.0\"}", 0), field(3, b"0.1.0")].concat());
    run(proptest::collection::vec(mutation(), 1..4), |mutations| {
        let mut bytes = valid.clone();
        for mutation in mutations {
            match mutation {
                _ if bytes.is_empty() => {}
                Mutation::Flip(place, byte) => {
                    let place = place.index(bytes.len());
                    bytes[place] ^= byte;
                }
                Mutation::Insert(place, byte) => bytes.insert(place.index(bytes.len()), byte),
                Mutation::Remove(place) => drop(bytes.remove(place.index(bytes.len()))),
                Mutation::Truncate(place) => bytes.truncate(place.index(bytes.len())),
            }
        }
        let answer = host.answer_with(&bytes);
        prop_assert_eq!(&answer.stderr, "");
        prop_assert!(answer.exit_code.is_some(), "killed by a signal");
        if answer.exit_code == Some(1) && answer.text().contains("\"code\":") {
            answer.error();
        }
        Ok(())
    });
}
