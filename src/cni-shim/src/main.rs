//! The CNI plugin `patchbay`: executed by the container runtime, asks the plugin host, prints its answer.
//! README.md says what it answers itself.

#![forbid(unsafe_code)]

mod answer;
mod call;
mod connect;
mod journal;
mod message;
mod reply;
mod request;
mod status;

use std::time::Instant;

use answer::{CniError, code};
use message::{Command, InvokeRequest};
use request::Settings;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

const ABOUT: &str = concat!("Patchbay CNI shim ", env!("CARGO_PKG_VERSION"), "\n");
const HELP: &str = concat!(
    "Patchbay CNI shim ",
    env!("CARGO_PKG_VERSION"),
    "\nA container runtime executes it with CNI_COMMAND set and a network configuration on standard input;\n",
    "it hands both to the plugin host (`patchbay host`) and prints the answer.\n",
    "CNI protocol versions: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n"
);

/// What leaves the process: bytes for standard output and the exit status.
struct Outcome {
    stdout: Vec<u8>,
    exit_code: i32,
}

fn main() {
    let started = Instant::now();
    if let Some(flag) = std::env::args_os().nth(1) {
        let text = if flag == "--version" || flag == "-V" { ABOUT } else { HELP };
        finish(Outcome { stdout: text.into(), exit_code: 0 });
    }
    match std::env::var_os("CNI_COMMAND").filter(|name| !name.is_empty()) {
        None => {
            // Where nobody listens there is nobody to tell.
            let _ = rustix::io::write(rustix::stdio::stderr(), HELP.as_bytes());
            finish(Outcome { stdout: Vec::new(), exit_code: 0 })
        }
        Some(name) => finish(run(&name.to_string_lossy(), started)),
    }
}

fn run(command_name: &str, started: Instant) -> Outcome {
    let (config, read) = request::read_stdin(started);
    let settings = Settings::parse(&config);
    let fail = |error: CniError| Outcome { stdout: error.to_json(&settings.cni_version), exit_code: 1 };

    let Some(command) = Command::find(command_name) else {
        return fail(
            CniError::new(code::ENVIRONMENT, format!("CNI_COMMAND {command_name:?} is unknown"))
                .details("known: ADD, DEL, CHECK, GC, STATUS, VERSION"),
        );
    };
    let prepared = read
        .and_then(|()| settings.check())
        .and_then(|()| request::request(command, config, |name| std::env::var_os(name)));
    let request = match prepared {
        Ok(request) => request,
        Err(error) => return fail(error),
    };
    match ask(&settings, command, &request, started) {
        Ok(outcome) => outcome,
        Err(error) => without_host(&settings, command, &request, error).unwrap_or_else(fail),
    }
}

fn ask(settings: &Settings, command: Command, request: &InvokeRequest, started: Instant) -> Result<Outcome, CniError> {
    let deadline = settings.deadline(command, started);
    let host = connect::connect(&settings.root, deadline)?;
    let response = call::invoke(&host, request, deadline)
        .map_err(|failure| failure.to_cni_error(deadline.saturating_duration_since(started)))?;
    // The kernel keeps eight bits: 256 must not become success.
    let exit_code = if (0..=255).contains(&response.exit_code) { response.exit_code } else { 1 };
    Ok(Outcome { stdout: response.result_json, exit_code })
}

/// What each verb does when the host gave no answer.
fn without_host(
    settings: &Settings,
    command: Command,
    request: &InvokeRequest,
    error: CniError,
) -> Result<Outcome, CniError> {
    match command {
        Command::Version => Ok(Outcome { stdout: answer::versions_json(&settings.cni_version), exit_code: 0 }),
        Command::Status if error.is_transient() => Err(CniError { code: code::NOT_AVAILABLE, ..error }),
        Command::Del if error.is_transient() => {
            journal::write(settings, request)?;
            Ok(Outcome { stdout: Vec::new(), exit_code: 0 })
        }
        Command::Add | Command::Del | Command::Check | Command::Gc | Command::Status => Err(error),
    }
}

fn finish(outcome: Outcome) -> ! {
    // The runtime has closed the pipe and reads no answer: it must not take that for success.
    let exit_code = if print(&outcome.stdout).is_ok() { outcome.exit_code } else { 1 };
    std::process::exit(exit_code)
}

fn print(mut bytes: &[u8]) -> Result<(), Errno> {
    let stdout = rustix::stdio::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(stdout, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            // A runtime may hand over a pipe that does not block.
            Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], None)?),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
