//! The connection to the plugin host's unix socket.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::answer::{CniError, code};

const FOLDER: &str = "run/patchbay";
const SOCKET: &str = "shim.sock";
/// sun_path holds 108 bytes, the last one zero.
const SUN_PATH_BYTES: usize = 107;

/// Connects, waiting for room in the host's backlog until the deadline.
pub fn connect(root: &str, deadline: Instant) -> Result<HostSocket, CniError> {
    let path = format!("{}/{FOLDER}/{SOCKET}", root.trim_end_matches('/'));
    connect_to(&path, deadline).map(HostSocket::new).map_err(|errno| explain(errno, &path))
}

fn connect_to(path: &str, deadline: Instant) -> Result<OwnedFd, Errno> {
    // Held until connected: /proc/self/fd names it.
    let folder;
    let address = if path.len() <= SUN_PATH_BYTES {
        SocketAddrUnix::new(path)?
    } else {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        folder = rustix::fs::open(path.trim_end_matches(&format!("/{SOCKET}")), flags, Mode::empty())?;
        SocketAddrUnix::new(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))?
    };
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    loop {
        let remaining = deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(Errno::TIMEDOUT);
        }
        // A blocking connect sleeps while the backlog is full and is woken by the host's accept(2); with
        // SOCK_NONBLOCK the kernel answers EAGAIN at once, which grpc clients take for a failure.
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(remaining))?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn explain(errno: Errno, path: &str) -> CniError {
    let msg = match errno {
        Errno::ACCESS | Errno::PERM => {
            return CniError::new(
                code::NOT_ALLOWED,
                format!("Cannot connect to the plugin host at {path}: run the shim as root"),
            )
            .details(io::Error::from(errno));
        }
        Errno::NOENT | Errno::NOTDIR => {
            format!("Plugin host is not running: no socket at {path}; start it with `patchbay host`; try again later")
        }
        Errno::CONNREFUSED => format!(
            "Plugin host is not running: nobody listens at {path}; start it with `patchbay host`; try again later"
        ),
        Errno::TIMEDOUT => {
            format!(
                "Plugin host at {path} did not accept the connection in time: see `patchbay doctor`; try again later"
            )
        }
        _ => format!("Cannot connect to the plugin host at {path}; try again later"),
    };
    CniError::new(code::TRY_AGAIN_LATER, msg).details(io::Error::from(errno))
}

pub struct HostSocket {
    socket: OwnedFd,
    /// The kernel's buffer is full, so that waiting must be for room in it as well.
    send_blocked: Cell<bool>,
}

impl HostSocket {
    fn new(socket: OwnedFd) -> HostSocket {
        HostSocket { socket, send_blocked: Cell::new(false) }
    }

    /// Sleeps until the stream can go on. False: the deadline came first.
    pub fn wait(&self, deadline: Instant) -> bool {
        let events = if self.send_blocked.get() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            match poll(&mut [PollFd::new(&self.socket, events)], Some(&timespec(remaining))) {
                Ok(0) => return false,
                Err(Errno::INTR) => {}
                // Whatever else goes wrong, the next read or write tells.
                Ok(_) | Err(_) => return true,
            }
        }
    }

    pub fn stream(&self) -> HostStream<'_> {
        HostStream { host: self, unsent: Vec::with_capacity(UNSENT_BYTES) }
    }
}

const UNSENT_BYTES: usize = 16 * 1024;

/// The connection as h2 wants it. Never blocks and wakes nobody: whoever gets Pending calls [`HostSocket::wait`].
pub struct HostStream<'a> {
    host: &'a HostSocket,
    /// Collects what h2 writes, so that preface, SETTINGS, HEADERS and DATA leave in one send(2).
    unsent: Vec<u8>,
}

impl HostStream<'_> {
    fn send_unsent(&mut self) -> Poll<io::Result<()>> {
        self.host.send_blocked.set(false);
        while !self.unsent.is_empty() {
            match rustix::net::send(&self.host.socket, &self.unsent, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.host.send_blocked.set(true);
                    return Poll::Pending;
                }
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for HostStream<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.unsent.len() >= UNSENT_BYTES {
            ready!(self.send_unsent())?;
        }
        self.unsent.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send_unsent()
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

impl AsyncRead for HostStream<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match rustix::net::recv(&self.host.socket, buffer.initialize_unfilled(), RecvFlags::DONTWAIT) {
                Ok((_, received)) => {
                    buffer.advance(received);
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Poll::Pending,
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
    }
}

pub fn timespec(duration: Duration) -> Timespec {
    // A second more than the longest timeout: never out of range.
    Timespec::try_from(duration).unwrap_or(Timespec { tv_sec: 3601, tv_nsec: 0 })
}
