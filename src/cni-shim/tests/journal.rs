//! The DEL journal.

mod support;

use std::os::unix::fs::symlink;

use support::*;

#[test]
fn holds_the_request_as_the_host_would_have_got_it() {
    let root = Root::new();
    root.shim("DEL").env("CNI_ARGS", "K=V").env("CNI_PATH", "/opt").env("TRACEPARENT", "t").run().expect_success("");
    let names = root.journal_names();
    let [name] = names.as_slice() else { panic!("{names:?}") };
    assert!(
        name.len() == 20 && name.ends_with(".del") && name[..16].bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{name}"
    );
    let request = std::fs::read(root.journal().join(name)).expect("read");
    assert_eq!(fields(&request)[0], (1, 2u64.to_be_bytes().to_vec()));
    let texts = [2, 3, 4, 5, 6, 7, 9].map(|number| text_field(&request, number));
    let config = root.config();
    assert_eq!(texts, ["pod-1", "/run/netns/x", "eth0", "K=V", "/opt", &config, env!("CARGO_PKG_VERSION")]);
}

#[test]
fn name_is_fnv_1a_of_container_ifname_and_config() {
    let root = Root::new();
    root.shim("DEL").run().expect_success("");
    let bytes = format!("pod-1\0eth0\0{}", root.config());
    let hash =
        bytes.bytes().fold(0xcbf29ce484222325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100000001b3));
    assert_eq!(root.journal_names(), [format!("{hash:016x}.del")]);
}

#[test]
fn repeats_overwrite_and_others_do_not() {
    let root = Root::new();
    for _ in 0..3 {
        root.shim("DEL").run().expect_success("");
    }
    assert_eq!(root.journal_names().len(), 1);
    root.shim("DEL").env("CNI_IFNAME", "net1").run().expect_success("");
    root.shim("DEL").env("CNI_CONTAINERID", "pod-2").run().expect_success("");
    root.shim("DEL").config(root.config().replace("\"n\"", "\"m\"")).run().expect_success("");
    assert_eq!(root.journal_names().len(), 4);
    // The namespace may be gone at the repeat: the later request is the one to keep.
    let before = root.journal_names();
    root.shim("DEL").without("CNI_NETNS").run().expect_success("");
    assert_eq!(root.journal_names(), before);
    let without =
        before.iter().filter(|name| text_field(&std::fs::read(root.journal().join(name)).expect("read"), 3).is_empty());
    assert_eq!(without.count(), 1);
}

#[test]
fn many_at_once_leave_no_temporary_file() {
    let root = Root::new();
    let shims: Vec<_> =
        (0..40).map(|index| root.shim("DEL").env("CNI_CONTAINERID", &format!("pod-{}", index % 10)).start()).collect();
    for shim in shims {
        shim.finish().expect_success("");
    }
    assert_eq!(root.journal_names().len(), 10, "{:?}", root.journal_names());
    assert!(root.journal_names().iter().all(|name| name.ends_with(".del") && !name.starts_with('.')));
}

#[test]
fn folders_and_files_are_closed_to_others() {
    let root = Root::new();
    root.shim("DEL").run().expect_success("");
    for folder in ["var", "var/lib", "var/lib/patchbay", "var/lib/patchbay/del-journal"] {
        assert_eq!(mode(&root.0.join(folder)), 0o700, "{folder}");
    }
    assert_eq!(mode(&root.journal().join(&root.journal_names()[0])), 0o600);
}

#[test]
fn only_del_is_written() {
    let root = Root::new();
    for verb in VERBS.iter().filter(|verb| **verb != "DEL") {
        root.shim(verb).run();
    }
    assert!(!root.0.join("var").exists());
}

#[test]
fn what_could_never_be_replayed_is_an_error() {
    let root = Root::new();
    for name in ["CNI_CONTAINERID", "CNI_IFNAME"] {
        let error = root.shim("DEL").without(name).run().expect_error(4);
        assert_eq!(error["msg"], format!("{name} is not set"));
    }
    let truncated = format!(r#"{{"root":"{}","name""#, root.path());
    root.shim("DEL").config(truncated).run().expect_error(6);
    assert!(!root.0.join("var").exists());
}

fn expect_error_5(answer: &Answer) {
    let error = answer.error();
    assert_eq!(error["code"], 5, "{error}");
    assert!(error["msg"].as_str().expect("text").contains("cannot be written"), "{error}");
}

#[test]
fn a_file_in_place_of_a_folder() {
    for place in ["var", "var/lib/patchbay", "var/lib/patchbay/del-journal"] {
        let root = Root::new();
        let place = root.0.join(place);
        std::fs::create_dir_all(place.parent().expect("parent")).expect("folder");
        std::fs::write(&place, "a file").expect("write");
        expect_error_5(&root.shim("DEL").run());
        assert_eq!(std::fs::read(&place).expect("still there"), b"a file");
    }
}

#[test]
fn a_root_that_is_not_there() {
    let root = Root::new();
    let config = root.config().replace(root.path(), &format!("{}/absent", root.path()));
    expect_error_5(&root.shim("DEL").config(config).run());
}

#[test]
fn the_folder_must_not_be_a_symbolic_link_but_its_parents_may() {
    let root = Root::new();
    let elsewhere = root.0.join("elsewhere");
    std::fs::create_dir_all(&elsewhere).expect("folder");
    std::fs::create_dir_all(root.0.join("var/lib/patchbay")).expect("folder");
    symlink(&elsewhere, root.journal()).expect("link");
    expect_error_5(&root.shim("DEL").run());
    assert_eq!(std::fs::read_dir(&elsewhere).expect("read").count(), 0);

    let root = Root::new();
    std::fs::create_dir_all(root.0.join("disk/lib")).expect("folder");
    symlink("disk", root.0.join("var")).expect("link");
    root.shim("DEL").run().expect_success("");
    assert_eq!(root.journal_names().len(), 1);
}

/// Runs the shim as `$SHIM` inside a shell, whose process id ($$) it takes over by exec.
fn in_shell(root: &Root, script: &str) -> Answer {
    let mut shim = root.shim("DEL");
    shim.command = std::process::Command::new("unshare");
    shim.command.args(["--mount", "--propagation", "private", "sh", "-ec", script]);
    shim.command.env("SHIM", BINARY).env("JOURNAL", root.journal());
    shim.env("CNI_COMMAND", "DEL").env("CNI_CONTAINERID", "pod-1").env("CNI_IFNAME", "eth0").run()
}

fn can_mount() -> bool {
    let tried = std::process::Command::new("unshare").args(["--mount", "--propagation", "private", "true"]).output();
    let can = tried.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("SKIP: no privileges for a mount namespace");
    }
    can
}

#[test]
fn a_link_laid_at_the_temporary_name_is_not_followed() {
    if !can_mount() {
        return;
    }
    let root = Root::new();
    root.shim("DEL").run().expect_success("");
    let name = root.journal_names().remove(0);
    let victim = root.0.join("victim");
    std::fs::write(&victim, "precious").expect("write");
    let script = format!("ln -s '{}' \"$JOURNAL/.{name}.$$\"; exec \"$SHIM\"", victim.display());
    in_shell(&root, &script).expect_success("");
    assert_eq!(std::fs::read(&victim).expect("read"), b"precious");
    assert_eq!(root.journal_names(), [name]);
}

#[test]
fn full_disk() {
    if !can_mount() {
        return;
    }
    let root = Root::new();
    std::fs::create_dir_all(root.journal()).expect("folder");
    let script = "mount -t tmpfs -o size=16k none \"$JOURNAL\"
        head -c 1000000 /dev/zero >\"$JOURNAL/filler\" 2>/dev/null || true
        \"$SHIM\" || code=$?
        test \"$(ls -A \"$JOURNAL\")\" = filler || echo left behind >&2
        exit $code";
    expect_error_5(&in_shell(&root, script));
}

#[test]
fn read_only_disk() {
    if !can_mount() {
        return;
    }
    let root = Root::new();
    std::fs::create_dir_all(root.journal()).expect("folder");
    expect_error_5(&in_shell(&root, "mount -t tmpfs -o ro none \"$JOURNAL\"; exec \"$SHIM\""));
}
