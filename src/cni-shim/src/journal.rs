//! DEL requests that no host has seen: written durably for the host to replay, so that DEL may say success.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use prost::Message;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::answer::{CniError, code};
use crate::message::InvokeRequest;
use crate::request::Settings;

const FOLDER: &str = "var/lib/patchbay/del-journal";

/// Writes the request. When this returns Ok, it survives a power loss.
pub fn write(settings: &Settings, request: &InvokeRequest) -> Result<(), CniError> {
    check(settings, request)?;
    let root = settings.root.as_str();
    let name = format!("{:016x}.del", key(request));
    write_file(root, &name, &request.encode_to_vec()).map_err(|errno| {
        let folder = format!("{}/{FOLDER}", root.trim_end_matches('/'));
        let msg =
            format!("Plugin host is not running and the DEL cannot be written to {folder} for it; try again later");
        CniError::new(code::IO, msg).details(io::Error::from(errno))
    })
}

/// A DEL that the host could never replay must not be called a success.
fn check(settings: &Settings, request: &InvokeRequest) -> Result<(), CniError> {
    for (name, value) in [("CNI_CONTAINERID", &request.container_id), ("CNI_IFNAME", &request.ifname)] {
        if value.is_empty() {
            return Err(CniError::new(code::ENVIRONMENT, format!("{name} is not set")));
        }
    }
    if !settings.well_formed {
        return Err(CniError::new(code::UNDECODABLE, "Network configuration on standard input is no JSON object"));
    }
    Ok(())
}

/// Repeats of one DEL have one name, so that they overwrite each other. FNV-1a, 64 bits; a zero byte
/// stands between the parts.
fn key(request: &InvokeRequest) -> u64 {
    let parts = [request.container_id.as_bytes(), request.ifname.as_bytes(), &request.config_json];
    let bytes = parts.join(&0u8);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn write_file(root: &str, name: &str, bytes: &[u8]) -> Result<(), Errno> {
    let folder = ensure_folder(root)?;
    // Hidden from the host, which reads *.del; unique, since two shims may run for one container.
    let temporary = format!(".{name}.{}", rustix::process::getpid().as_raw_nonzero());
    let written = write_temporary(folder.as_fd(), &temporary, bytes)
        .and_then(|()| rustix::fs::renameat(&folder, &temporary, &folder, name));
    if let Err(errno) = written {
        // Nothing more can be done about it: the host ignores hidden files and clears them at its start.
        let _ = rustix::fs::unlinkat(&folder, &temporary, AtFlags::empty());
        return Err(errno);
    }
    rustix::fs::fsync(&folder)
}

fn write_temporary(folder: BorrowedFd, name: &str, bytes: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR) {
        // Left by a shim that was killed and had the same process id.
        Err(Errno::EXIST) => {
            rustix::fs::unlinkat(folder, name, AtFlags::empty())?;
            rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?
        }
        opened => opened?,
    };
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(&file, rest))?;
        rest = &rest[written..];
    }
    rustix::fs::fsync(&file)
}

/// Opens the folder, making it and its parents (0700) where they are missing. Steps from folder to folder by
/// descriptor; the last one must not be a symbolic link.
fn ensure_folder(root: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::openat(CWD, root, flags, Mode::empty())?;
    let mut names = FOLDER.split('/').peekable();
    while let Some(name) = names.next() {
        match rustix::fs::mkdirat(&folder, name, Mode::RWXU) {
            Ok(()) => rustix::fs::fsync(&folder)?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
        // Distributions link parents elsewhere (/var, /var/lib); the journal itself is ours.
        let flags = if names.peek().is_none() { flags | OFlags::NOFOLLOW } else { flags };
        folder = rustix::fs::openat(&folder, name, flags, Mode::empty())?;
    }
    Ok(folder)
}
