//! What reaches the host, and what comes of its answers.

mod support;

use std::sync::mpsc;

use support::*;

#[test]
fn every_verb_is_forwarded_with_its_environment() {
    for (index, verb) in VERBS.iter().enumerate() {
        let root = Root::new();
        let (sender, received) = mpsc::channel();
        let host = root.host(1, move |connection| {
            sender.send(connection.read_request()).expect("send");
            connection.send(&answer(&response(b"{\"answer\":true}", 0)));
            connection.wait_for_end();
        });
        let shim = root.shim(verb).env("CNI_ARGS", "K=V;L=W").env("CNI_PATH", "/opt/cni/bin:/x");
        let shim = shim.env("TRACEPARENT", "00-1-2-01").env("TRACESTATE", "a=b").env("BAGGAGE", "c=d");
        // VERSION carries no root: it is added here only so that the test's host is asked.
        shim.run().expect_success("{\"answer\":true}");
        host.join().expect("host");

        let request = received.recv().expect("request");
        assert_eq!(fields(&request)[0], (1, (index as u64 + 1).to_be_bytes().to_vec()), "{verb}");
        let texts: Vec<_> = [2, 3, 4, 5, 6, 7, 9].map(|number| text_field(&request, number)).into();
        let config = root.config();
        assert_eq!(
            texts,
            ["pod-1", "/run/netns/x", "eth0", "K=V;L=W", "/opt/cni/bin:/x", &config, env!("CARGO_PKG_VERSION")]
        );
        let trace = fields(&request).into_iter().find(|(number, _)| *number == 8).expect("trace").1;
        assert_eq!([1, 2, 3].map(|number| text_field(&trace, number)), ["00-1-2-01", "a=b", "c=d"]);
    }
}

#[test]
fn what_the_runtime_leaves_out_is_left_out() {
    let root = Root::new();
    let (sender, received) = mpsc::channel();
    let host = root.host(1, move |connection| {
        sender.send(connection.read_request()).expect("send");
        connection.send(&answer(&response(b"", 0)));
    });
    root.shim("DEL").without("CNI_NETNS").without("CNI_IFNAME").without("CNI_CONTAINERID").run().expect_success("");
    host.join().expect("host");
    let numbers: Vec<u8> = fields(&received.recv().expect("request")).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 7, 9]);
    assert_eq!(root.journal_names(), [""; 0]);
}

#[test]
fn invalid_json_is_the_hosts_to_judge() {
    let root = Root::new();
    // What precedes the fault counts, so that the host is found.
    let config = format!(r#"{{"root":"{}","cniVersion":"0.4.0", oops"#, root.path());
    let host = root.host(1, |connection| {
        assert!(text_field(&connection.read_request(), 7).ends_with("oops"));
        connection.send(&answer(&response(b"{\"code\":6}", 1)));
    });
    let answer = root.shim("ADD").config(config).run();
    host.join().expect("host");
    assert_eq!((answer.text().as_str(), answer.exit_code), ("{\"code\":6}", Some(1)));
}

#[test]
fn a_request_of_one_mebibyte_gets_through_and_one_byte_more_is_refused() {
    let root = Root::new();
    let padded = |length: usize| {
        let config = root.config();
        format!("{}{}", config, " ".repeat(length - config.len()))
    };
    let host = root.host(1, |connection| {
        let request = connection.read_request();
        assert_eq!(text_field(&request, 7).len(), 1 << 20);
        connection.send(&answer(&response(b"{}", 0)));
    });
    root.shim("ADD").config(padded(1 << 20)).run().expect_success("{}");
    host.join().expect("host");
    for verb in VERBS {
        let error = root.shim(verb).config(padded((1 << 20) + 1)).run().expect_error(7);
        assert!(error["msg"].as_str().expect("text").contains("1 MiB"), "{error}");
    }
    assert_eq!(root.journal_names(), [""; 0]);
}

#[test]
fn result_and_exit_code_of_the_host_pass_unchanged() {
    for (result, exit_code) in
        [(&b"{\"code\":7,\"msg\":\"x\"}"[..], 1), (b"", 0), (b"not json \xff\x00", 0), (b"{}", 77)]
    {
        let root = Root::new();
        let host = root.host(1, move |connection| {
            connection.read_request();
            connection.send(&answer(&response(result, exit_code)));
        });
        let answer = root.shim("ADD").run();
        host.join().expect("host");
        assert_eq!((answer.stdout.as_slice(), answer.exit_code), (result, Some(i32::from(exit_code))));
    }
}

#[test]
fn exit_code_that_the_kernel_would_cut_to_0_is_no_success() {
    // 256, and -1 as ten bytes.
    for code in [&[0x10, 0x80, 0x02][..], &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]] {
        let root = Root::new();
        let message = [field(1, b"{}"), code.to_vec()].concat();
        let host = root.host(1, move |connection| {
            connection.read_request();
            connection.send(&answer(&message));
        });
        assert_eq!(root.shim("ADD").run().exit_code, Some(1));
        host.join().expect("host");
    }
}

#[test]
fn an_older_and_a_newer_host_are_understood() {
    let newer = [field(1, b"{}"), field(3, b"9.9.9"), field(14, b"new"), vec![0x78, 0x05]].concat();
    for (message, stdout) in [(Vec::new(), ""), (field(1, b"{}"), "{}"), (newer, "{}")] {
        let root = Root::new();
        let host = root.host(1, move |connection| {
            connection.read_request();
            connection.send(&answer(&message));
        });
        root.shim("ADD").run().expect_success(stdout);
        host.join().expect("host");
    }
}

#[test]
fn a_result_of_several_frames_and_windows_arrives_whole() {
    let root = Root::new();
    let result = vec![b'x'; 4 << 20];
    let sent = response(&result, 0);
    let host = root.host(1, move |connection| {
        connection.read_request();
        // Acknowledges the shim's SETTINGS: from here its window is as large as the largest answer.
        connection.send(&frame(SETTINGS, 1, 0, &[]));
        connection.send(&answer(&sent));
        connection.wait_for_end();
    });
    let answer = root.shim("ADD").run();
    host.join().expect("host");
    assert!(answer.stdout == result && answer.exit_code == Some(0), "{:.300}", answer.text());
}

#[test]
fn a_host_that_is_shutting_down_may_still_answer() {
    let root = Root::new();
    let host = root.host(1, |connection| {
        connection.read_request();
        let goaway = frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
        connection.send(&[settings(), goaway, ok_headers(), data(&response(b"{}", 0)), trailers("0")].concat());
        connection.wait_for_end();
    });
    root.shim("ADD").run().expect_success("{}");
    host.join().expect("host");
}

#[test]
fn an_answer_byte_by_byte_and_with_pings_between_is_read() {
    let root = Root::new();
    let host = root.host(1, |connection| {
        connection.read_request();
        let ping = frame(PING, 0, 0, &[7; 8]);
        let bytes = [settings(), ping.clone(), ok_headers(), ping, data(&response(b"{}", 0)), trailers("0")].concat();
        bytes.chunks(1).for_each(|byte| connection.send(byte));
        connection.wait_for_end();
    });
    root.shim("ADD").run().expect_success("{}");
    host.join().expect("host");
}

#[test]
fn a_socket_path_longer_than_sun_path_is_reached() {
    let root = Root::new();
    let deep = root.0.join("d".repeat(120));
    std::fs::create_dir_all(deep.join("run/patchbay")).expect("folder");
    // Bound where it is short, then moved: bind(2) has the same limit.
    let host = root.host(1, |connection| {
        connection.read_request();
        connection.send(&answer(&response(b"{}", 0)));
    });
    std::fs::rename(root.socket(), deep.join("run/patchbay/shim.sock")).expect("rename");
    let config = format!(r#"{{"cniVersion":"1.1.0","root":"{}","timeoutSeconds":60}}"#, deep.display());
    root.shim("ADD").config(config.clone()).run().expect_success("{}");
    host.join().expect("host");
    root.shim("ADD").config(config.clone()).run().expect_error(11);
    root.shim("ADD").config(config.replace("/ddd", "/absent/ddd")).run().expect_error(11);
}

#[test]
fn missing_or_unknown_command() {
    let root = Root::new();
    let about = root.shim("").run();
    assert_eq!((about.text().as_str(), about.exit_code), ("", Some(0)));
    assert!(about.stderr.contains("CNI protocol versions: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"), "{}", about.stderr);
    let about = root.shim("").without("CNI_COMMAND").run();
    assert!(about.exit_code == Some(0) && about.stdout.is_empty() && !about.stderr.is_empty());
    for name in ["FOO", "add", "ADD ", "\u{1}\"\\"] {
        root.shim(name).run().expect_error(4);
    }
}

#[test]
fn environment_that_is_not_utf8_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let root = Root::new();
    for name in ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH"] {
        let mut shim = root.shim("DEL");
        shim.command.env(name, std::ffi::OsStr::from_bytes(b"a\xff"));
        let error = shim.run().expect_error(4);
        assert!(error["msg"].as_str().expect("text").starts_with(name), "{error}");
    }
    assert_eq!(root.journal_names(), [""; 0]);
    let mut shim = root.shim("ADD");
    shim.command.env("TRACEPARENT", std::ffi::OsStr::from_bytes(b"a\xff"));
    shim.run().expect_error(11);
}

#[test]
fn flags_print_and_succeed() {
    for (flag, expected) in [("--version", env!("CARGO_PKG_VERSION")), ("--help", "CNI protocol versions")] {
        let output = std::process::Command::new(BINARY).arg(flag).output().expect("runs");
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected));
    }
}

#[test]
fn errors_carry_the_version_of_the_configuration() {
    let root = Root::new();
    for version in SUPPORTED.iter().chain(&["9.9.9", "quote \" and \\ and \u{1}"]) {
        let version_json = serde_json::to_string(version).expect("JSON");
        let config =
            format!(r#"{{"name":[{{"cniVersion":"x"}}],"cniVersion":{version_json},"root":"{}"}}"#, root.path());
        assert_eq!(root.shim("ADD").config(config.clone()).run().expect_error(11)["cniVersion"], **version);
        assert_eq!(root.shim("STATUS").config(config.clone()).run().expect_error(50)["cniVersion"], **version);
        let answer = root.shim("VERSION").config(config).run();
        let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("JSON");
        assert_eq!(answer["cniVersion"], **version);
    }
}

#[test]
fn configuration_that_cannot_be_read_has_the_default_version() {
    let root = Root::new();
    // Without a root they would ask the machine's own host, if there is one: an unknown verb answers before that.
    for config in ["", "{", "[]", "null", "\u{0}", r#"{"cniVersion":5}"#, r#"{"cniVersion":null,"root":[]}"#] {
        assert_eq!(root.shim("FOO").config(config).run().expect_error(4)["cniVersion"], "1.1.0");
    }
    let config = format!(r#"{{"root":"{}", oops"#, root.path());
    assert_eq!(root.shim("ADD").config(config).run().expect_error(11)["cniVersion"], "1.1.0");
}

#[test]
fn root_must_be_absolute() {
    let root = Root::new();
    for bad in ["", "relative", "../x", "/a\\u0000b"] {
        let config = format!(r#"{{"cniVersion":"1.1.0","root":"{bad}"}}"#);
        root.shim("DEL").config(config).run().expect_error(7);
    }
    let config = format!(r#"{{"cniVersion":"1.1.0","root":"{}///"}}"#, root.path());
    root.shim("DEL").config(config).run().expect_success("");
    assert_eq!(root.journal_names().len(), 1);
}

#[test]
fn an_answer_that_nobody_reads_is_no_success() {
    let root = Root::new();
    let host = root.host(1, |connection| {
        connection.read_request();
        connection.send(&answer(&response(b"{}", 0)));
    });
    let mut shim = root.shim("ADD");
    let (reader, writer) = std::io::pipe().expect("pipe");
    drop(reader);
    shim.command.stdin(std::process::Stdio::piped()).stdout(writer);
    let mut child = shim.command.spawn().expect("starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), &shim.config).expect("config");
    assert_eq!(child.wait().expect("ends").code(), Some(1));
    host.join().expect("host");
}

#[test]
fn pipes_that_do_not_block_are_waited_for() {
    let root = Root::new();
    let result = vec![b'x'; 1 << 20];
    let sent = response(&result, 0);
    let host = root.host(1, move |connection| {
        connection.read_request();
        connection.send(&frame(SETTINGS, 1, 0, &[]));
        connection.send(&answer(&sent));
        connection.wait_for_end();
    });
    let mut shim = root.shim("ADD");
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    let (stdin, mut config) = std::io::pipe().expect("pipe");
    for end in [std::os::fd::AsFd::as_fd(&writer), std::os::fd::AsFd::as_fd(&stdin)] {
        rustix::io::ioctl_fionbio(end, true).expect("FIONBIO");
    }
    shim.command.stdin(stdin).stdout(writer);
    let mut child = shim.command.spawn().expect("starts");
    // Its copies of the pipes' ends would keep them open.
    drop(shim.command);
    std::io::Write::write_all(&mut config, &shim.config).expect("config");
    drop(config);
    let mut stdout = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut stdout).expect("read");
    assert!(stdout == result && child.wait().expect("ends").success());
    host.join().expect("host");
}

#[test]
fn the_binary_needs_no_dynamic_linker() {
    // ELF64, little endian: program headers at e_phoff, each e_phentsize bytes, its type first; 3 is PT_INTERP.
    let elf = std::fs::read(BINARY).expect("read");
    let number =
        |at: usize, length: usize| elf[at..at + length].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let (headers, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    assert!(
        count > 0 && (0..count).all(|index| number(headers + index * size, 4) != 3),
        "built without .cargo/config.toml?"
    );
}
