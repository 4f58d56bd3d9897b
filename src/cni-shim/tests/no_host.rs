//! Hosts that are absent, hang, die or talk nonsense. Each case states the code that ADD gets; where that is 11, the
//! other verbs do what they do without a host.

mod support;

use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use support::*;

const DEADLINE: Duration = Duration::from_secs(1);
/// "At once": far from the deadline that such a test sets, far from what a busy machine needs.
const AT_ONCE: Duration = Duration::from_secs(30);

/// Runs every verb at once, each against a host of its own that plays the script.
fn expect(code: u64, at_deadline: bool, script: impl Fn(&mut Connection) + Send + Copy + 'static) {
    std::thread::scope(|scope| {
        for verb in VERBS {
            scope.spawn(move || {
                let root = Root::new();
                let host = root.host(1, script);
                let shim = root.shim(verb);
                let answer = if at_deadline { shim.deadline_of_1_second() } else { shim }.run();
                host.join().expect("host");
                expect_answer(&root, &answer, verb, code);
                let in_time = if at_deadline { answer.took >= DEADLINE } else { answer.took < AT_ONCE };
                assert!(in_time, "{verb} took {:?}", answer.took);
            });
        }
    });
}

fn expect_answer(root: &Root, answer: &Answer, verb: &str, code: u64) {
    match verb {
        _ if code == 11 => answer.expect_no_host(verb),
        "VERSION" => answer.expect_no_host(verb),
        _ => drop(answer.expect_error(code)),
    }
    let journaled = usize::from(verb == "DEL" && code == 11);
    assert_eq!(root.journal_names().len(), journaled, "{verb}: {:?}", root.journal_names());
}

#[test]
fn absent() {
    for verb in VERBS {
        let root = Root::new();
        root.shim(verb).run().expect_no_host(verb);
    }
    let root = Root::new();
    let error = root.shim("ADD").run().expect_error(11);
    let expected = format!(
        "Plugin host is not running: no socket at {}; start it with `patchbay host`; try again later",
        root.socket().display()
    );
    assert_eq!(error["msg"], expected);
}

#[test]
fn no_folder_of_the_host() {
    let root = Root::new();
    std::fs::remove_dir(root.0.join("run/patchbay")).expect("remove");
    root.shim("ADD").run().expect_error(11);
    std::fs::write(root.0.join("run/patchbay"), "a file").expect("write");
    root.shim("ADD").run().expect_error(11);
}

#[test]
fn stale_socket() {
    for verb in VERBS {
        let root = Root::new();
        drop(root.listen());
        root.shim(verb).run().expect_no_host(verb);
    }
    let root = Root::new();
    drop(root.listen());
    let error = root.shim("ADD").run().expect_error(11);
    assert!(error["msg"].as_str().expect("text").contains("nobody listens at"), "{error}");
}

#[test]
fn a_file_instead_of_the_socket() {
    let root = Root::new();
    std::fs::write(root.socket(), "").expect("write");
    root.shim("ADD").run().expect_error(11);
}

#[test]
fn not_allowed_to_connect() {
    use std::os::unix::process::CommandExt;
    let root = Root::new();
    let _listener = root.listen();
    std::fs::set_permissions(root.socket(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("chmod");
    let mut shim = root.shim("ADD");
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIP not_allowed_to_connect: needs root to become somebody else");
        return;
    }
    // The build folder may be closed to others: the binary is copied to where nobody can execute it.
    let copy = root.0.join("patchbay");
    std::fs::copy(BINARY, &copy).expect("copy");
    std::fs::set_permissions(&root.0, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    let mut command = std::process::Command::new(copy);
    command.env_clear().env("CNI_COMMAND", "ADD").uid(65534).gid(65534);
    shim.command = command;
    shim.run().expect_error(101);
}

#[test]
fn nobody_accepts() {
    // As under SIGSTOP: the kernel completes the connection, nobody reads from it.
    std::thread::scope(|scope| {
        for verb in VERBS {
            scope.spawn(move || {
                let root = Root::new();
                let _listener = root.listen();
                let answer = root.shim(verb).deadline_of_1_second().run();
                assert!(answer.took >= DEADLINE);
                expect_answer(&root, &answer, verb, 11);
            });
        }
    });
}

/// A listener whose backlog has no room left, and the connections that fill it.
fn full(root: &Root) -> (UnixListener, Vec<UnixStream>) {
    let listener = root.listen();
    rustix::net::listen(&listener, 1).expect("listen");
    let mut waiting = Vec::new();
    loop {
        let flags = rustix::net::SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(rustix::net::AddressFamily::UNIX, rustix::net::SocketType::STREAM, flags, None);
        let socket = socket.expect("socket");
        let address = rustix::net::SocketAddrUnix::new(root.socket()).expect("address");
        match rustix::net::connect(&socket, &address) {
            Ok(()) => waiting.push(UnixStream::from(socket)),
            Err(rustix::io::Errno::AGAIN) => return (listener, waiting),
            Err(errno) => panic!("{errno}"),
        }
    }
}

#[test]
fn full_backlog_is_waited_for() {
    let root = Root::new();
    let (listener, waiting) = full(&root);
    let many: Vec<_> = (0..20).map(|_| root.shim("ADD").start()).collect();
    // All sleep in connect(2) (or will soon): no event outside the kernel says so, /proc does.
    let limit = Instant::now() + Duration::from_millis(500);
    let sleeps = |shim: &Running| {
        let wait = std::fs::read_to_string(format!("/proc/{}/wchan", shim.child.id())).unwrap_or_default();
        wait.contains("unix")
    };
    while !many.iter().all(sleeps) && Instant::now() < limit {
        std::thread::yield_now();
    }
    let host = std::thread::spawn(move || {
        for _ in 0..waiting.len() {
            listener.accept().expect("accept");
        }
        for _ in 0..20 {
            let mut connection = Connection { stream: listener.accept().expect("accept").0 };
            connection.read_request();
            connection.send(&answer(&response(b"{}", 0)));
        }
    });
    for shim in many {
        shim.finish().expect_success("{}");
    }
    host.join().expect("host");
}

#[test]
fn full_backlog_at_the_deadline() {
    std::thread::scope(|scope| {
        for verb in VERBS {
            scope.spawn(move || {
                let root = Root::new();
                let _full = full(&root);
                let answer = root.shim(verb).deadline_of_1_second().run();
                assert!(answer.took >= DEADLINE);
                expect_answer(&root, &answer, verb, 11);
            });
        }
    });
}

#[test]
fn host_killed_while_the_backlog_is_full() {
    let root = Root::new();
    let (listener, waiting) = full(&root);
    let shim = root.shim("ADD").start();
    drop(listener);
    drop(waiting);
    let answer = shim.finish();
    answer.expect_error(11);
    assert!(answer.took < AT_ONCE);
}

#[test]
fn accepts_and_never_answers() {
    expect(11, true, |connection| connection.wait_for_end());
    expect(11, true, |connection| {
        connection.read_request();
        connection.send(&settings());
        connection.wait_for_end();
    });
}

#[test]
fn stops_in_the_middle_and_hangs() {
    expect(11, true, |connection| {
        connection.read_request();
        let all = answer(&response(b"{}", 0));
        connection.send(&all[..all.len() - 3]);
        connection.wait_for_end();
    });
}

#[test]
fn closes_at_once() {
    expect(11, false, |_| ());
    expect(11, false, |connection| connection.send(&settings()));
}

#[test]
fn closes_anywhere_in_the_answer() {
    let all = answer(&response(b"{\"cniVersion\":\"1.1.0\"}", 0));
    for length in 0..all.len() {
        let root = Root::new();
        let part = all[..length].to_vec();
        let host = root.host(1, move |connection| {
            connection.read_request();
            connection.send(&part);
        });
        let answer = root.shim("ADD").run();
        host.join().expect("host");
        assert!(answer.took < AT_ONCE, "after {length} bytes");
        answer.expect_error(11);
    }
}

#[test]
fn connection_reset() {
    // Closing with unread bytes resets a unix socket: ECONNRESET instead of EOF.
    expect(11, false, |connection| {
        connection.send(&settings());
        let mut one = [0];
        std::io::Read::read_exact(&mut connection.stream, &mut one).expect("a byte");
    });
}

#[test]
fn goaway() {
    for (last_stream, error) in [(0, 0), (0, 11), (0, 2), (0, 1)] {
        let root = Root::new();
        let host = root.host(1, move |connection| {
            connection.read_request();
            connection.send(&[settings(), frame(GOAWAY, 0, 0, &[0, 0, 0, last_stream, 0, 0, 0, error])].concat());
            connection.wait_for_end();
        });
        let answer = root.shim("ADD").run();
        host.join().expect("host");
        answer.expect_error(11);
        assert!(answer.took < AT_ONCE);
    }
    expect(11, false, |connection| {
        connection.send(&[settings(), frame(GOAWAY, 0, 0, &[0; 8])].concat());
    });
}

#[test]
fn rst_stream() {
    // HTTP/2 error code, CNI code.
    for (reason, code) in [(0, 100), (1, 100), (2, 100), (7, 11), (8, 11), (11, 11), (12, 101), (200, 100)] {
        for after_headers in [false, true] {
            let root = Root::new();
            let host = root.host(1, move |connection| {
                connection.read_request();
                let headers = if after_headers { ok_headers() } else { Vec::new() };
                connection.send(&[settings(), headers, frame(RST_STREAM, 0, 1, &[0, 0, 0, reason])].concat());
                connection.wait_for_end();
            });
            let answer = root.shim("ADD").run();
            host.join().expect("host");
            let error = answer.error();
            assert_eq!(error["code"], code, "reason {reason}: {error}");
        }
    }
}

#[test]
fn every_grpc_status() {
    let table = [
        ("1", 11),
        ("2", 100),
        ("3", 100),
        ("4", 11),
        ("5", 100),
        ("6", 100),
        ("7", 101),
        ("8", 7),
        ("9", 100),
        ("10", 11),
        ("11", 100),
        ("12", 100),
        ("13", 100),
        ("14", 11),
        ("15", 100),
        ("16", 101),
        ("17", 100),
        ("-1", 100),
        ("words", 100),
        ("", 100),
        ("99999999999999999999", 100),
    ];
    std::thread::scope(|scope| {
        for (status, code) in table {
            scope.spawn(move || {
                for trailers_only in [true, false] {
                    for verb in VERBS {
                        let root = Root::new();
                        let host = root.host(1, move |connection| {
                            connection.read_request();
                            let fields = [
                                (":status", "200"),
                                ("content-type", "application/grpc"),
                                ("grpc-status", status),
                                ("grpc-message", "100%25 b%C3%BCsy%zz"),
                            ];
                            let reply = if trailers_only {
                                headers(&fields, END_STREAM)
                            } else {
                                [ok_headers(), headers(&fields[2..], END_STREAM)].concat()
                            };
                            connection.send(&[settings(), reply].concat());
                            connection.wait_for_end();
                        });
                        let answer = root.shim(verb).run();
                        host.join().expect("host");
                        expect_answer(&root, &answer, verb, code);
                        if verb == "ADD" {
                            let details = answer.error()["details"].as_str().expect("details").to_owned();
                            assert!(details.ends_with(": 100% büsy%zz"), "{details}");
                        }
                    }
                }
            });
        }
    });
}

#[test]
fn http_status_of_something_else() {
    for (status, code) in
        [("400", 100), ("401", 101), ("403", 101), ("404", 100), ("429", 11), ("500", 100), ("503", 11)]
    {
        let root = Root::new();
        let host = root.host(1, move |connection| {
            connection.read_request();
            let head = headers(&[(":status", status), ("content-type", "text/html")], 0);
            connection.send(&[settings(), head, frame(DATA, END_STREAM, 1, b"<html>")].concat());
            connection.wait_for_end();
        });
        root.shim("ADD").run().expect_error(code);
        host.join().expect("host");
    }
}

fn malformed(reply: fn() -> Vec<u8>) {
    expect(100, false, move |connection| {
        connection.read_request();
        connection.send(&[settings(), reply()].concat());
        connection.wait_for_end();
    });
}

#[test]
fn ok_without_a_message() {
    malformed(|| [ok_headers(), trailers("0")].concat());
    malformed(|| {
        headers(&[(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")], END_STREAM)
    });
}

#[test]
fn message_without_a_status() {
    malformed(|| {
        let body = [vec![0, 0, 0, 0, 4], field(1, b"{}")].concat();
        [ok_headers(), frame(DATA, END_STREAM, 1, &body)].concat()
    });
    malformed(|| [ok_headers(), data(&response(b"{}", 0)), headers(&[("x", "y")], END_STREAM)].concat());
}

#[test]
fn other_content_type() {
    malformed(|| {
        let head = headers(&[(":status", "200"), ("content-type", "application/json")], 0);
        [head, data(&response(b"{}", 0)), trailers("0")].concat()
    });
    malformed(|| [headers(&[(":status", "200")], 0), data(&response(b"{}", 0)), trailers("0")].concat());
}

#[test]
fn compressed() {
    malformed(|| [ok_headers(), frame(DATA, 0, 1, &[1, 0, 0, 0, 0]), trailers("0")].concat());
}

#[test]
fn frame_length_that_is_not_the_messages() {
    malformed(|| [ok_headers(), frame(DATA, 0, 1, &[0, 0, 0, 0, 5, 10, 2, b'{', b'}']), trailers("0")].concat());
    malformed(|| [ok_headers(), frame(DATA, 0, 1, &[0, 0, 0, 0, 3, 10, 2, b'{', b'}']), trailers("0")].concat());
    malformed(|| [ok_headers(), frame(DATA, 0, 1, &[0, 0, 0]), trailers("0")].concat());
}

#[test]
fn two_messages() {
    malformed(|| [ok_headers(), data(&response(b"{}", 0)), data(&response(b"{}", 0)), trailers("0")].concat());
}

#[test]
fn message_that_is_no_protobuf() {
    malformed(|| [ok_headers(), data(&[0xff; 20]), trailers("0")].concat());
    malformed(|| [ok_headers(), data(&field(3, b"\xff\xfe")), trailers("0")].concat());
    malformed(|| [ok_headers(), data(&[10, 200, 1]), trailers("0")].concat());
}

#[test]
fn giant_answer() {
    // The announced length is enough to refuse it, whether it comes or not.
    malformed(|| [ok_headers(), frame(DATA, 0, 1, &[0, 0xff, 0xff, 0xff, 0xff])].concat());
    malformed(|| [ok_headers(), frame(DATA, 0, 1, &[0, 0x00, 0x80, 0x00, 0x01, 10, 1, b'x'])].concat());
}

#[test]
fn giant_headers() {
    // h2 gives the whole connection up, as for any peer that does not keep to HTTP/2.
    expect(11, false, |connection| {
        connection.read_request();
        let long = "v".repeat(120);
        let block: Vec<(&str, &str)> =
            [(":status", "200")].into_iter().chain((0..100).map(|_| ("x", long.as_str()))).collect();
        let first = headers(&block, 0);
        let mut frames = settings();
        let mut head = first.clone();
        head[4] = 0;
        frames.extend_from_slice(&head);
        // CONTINUATION frames (9) with more of the same.
        let more: Vec<u8> = headers(&block[1..], 0)[9..].to_vec();
        for _ in 0..10 {
            frames.extend_from_slice(&frame(9, 0, 1, &more));
        }
        frames.extend_from_slice(&frame(9, END_HEADERS, 1, &more));
        connection.send(&frames);
        connection.wait_for_end();
    });
}

#[test]
fn garbage() {
    expect(11, false, |connection| {
        connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        connection.wait_for_end();
    });
    expect(11, false, |connection| {
        connection.send(&[0xff; 64]);
        connection.wait_for_end();
    });
    expect(11, false, |connection| {
        connection.read_request();
        // PUSH_PROMISE, which the shim has switched off.
        connection.send(&[settings(), frame(5, END_HEADERS, 1, &[0, 0, 0, 2])].concat());
        connection.wait_for_end();
    });
}
