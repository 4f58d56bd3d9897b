//! One gRPC call over one connection: HTTP/2 comes from h2, the waiting from poll(2). A process that lives for a
//! millisecond and has one socket needs no runtime with its epoll, eventfd and timers.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderValue, Request};
use prost::Message;

use crate::connect::{HostSocket, HostStream};
use crate::message::{InvokeRequest, InvokeResponse};
use crate::reply::{self, ANSWER_LIMIT_BYTES, FRAME_HEADER_BYTES, Reply};
use crate::status::Failure;

pub const URI: &str = "http://localhost/patchbay.shim.v1.Shim/Invoke";

/// Asks the host and waits for its answer until the deadline.
pub fn invoke(host: &HostSocket, request: &InvokeRequest, deadline: Instant) -> Result<InvokeResponse, Failure> {
    let reply = drive(host, deadline, exchange(host.stream(), request, deadline))??;
    reply::decode(&reply)
}

async fn exchange(stream: HostStream<'_>, request: &InvokeRequest, deadline: Instant) -> Result<Reply, Failure> {
    let window = (ANSWER_LIMIT_BYTES + FRAME_HEADER_BYTES) as u32;
    let (client, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(window)
        .initial_connection_window_size(window)
        .max_header_list_size(64 * 1024)
        .handshake::<_, Bytes>(stream)
        .await?;
    let mut connection = pin!(connection);
    let mut call = pin!(unary(client, request, deadline));
    std::future::poll_fn(|context| {
        if let Poll::Ready(result) = call.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        match connection.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            // The connection has ended: the call either had its answer before that, or fails now.
            Poll::Ready(end) => match call.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => Poll::Ready(Err(end.err().map_or(Failure::Closed, Failure::from))),
            },
        }
    })
    .await
}

async fn unary(client: SendRequest<Bytes>, request: &InvokeRequest, deadline: Instant) -> Result<Reply, Failure> {
    let mut client = client.ready().await?;
    let (response, mut body) = client.send_request(head(deadline), false)?;
    body.send_data(frame(request), true)?;

    let (head, mut stream) = response.await?.into_parts();
    let mut reply = Reply { status: head.status, headers: head.headers, ..Reply::default() };
    reply::check_head(&reply)?;
    while let Some(data) = std::future::poll_fn(|context| stream.poll_data(context)).await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        reply.body.extend_from_slice(&data);
        reply::check_length(&reply.body)?;
    }
    reply.trailers = std::future::poll_fn(|context| stream.poll_trailers(context)).await?;
    Ok(reply)
}

fn head(deadline: Instant) -> Request<()> {
    let remaining = deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
    let mut request = Request::new(());
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = http::Uri::from_static(URI);
    let headers = request.headers_mut();
    headers.insert("te", HeaderValue::from_static("trailers"));
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("user-agent", HeaderValue::from_static(concat!("patchbay-cni/", env!("CARGO_PKG_VERSION"))));
    // At most 8 digits, which 3600 s in milliseconds keep.
    if let Ok(timeout) = HeaderValue::try_from(format!("{remaining}m")) {
        headers.insert("grpc-timeout", timeout);
    }
    request
}

/// The message behind gRPC's frame header: not compressed, its length.
fn frame(request: &InvokeRequest) -> Bytes {
    let length = request.encoded_len();
    let mut bytes = BytesMut::with_capacity(FRAME_HEADER_BYTES + length);
    bytes.put_u8(0);
    bytes.put_u32(length as u32);
    request.encode_raw(&mut bytes);
    bytes.freeze()
}

/// Runs a future whose only source of events is the host's socket.
fn drive<F: Future>(host: &HostSocket, deadline: Instant, future: F) -> Result<F::Output, Failure> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = Pin::as_mut(&mut future).poll(&mut context) {
            return Ok(output);
        }
        // h2 wakes the call when the connection has read something for it: then there is work before the next wait.
        if !woken.0.swap(false, Ordering::Relaxed) && !host.wait(deadline) {
            return Err(Failure::DeadlineExceeded);
        }
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn request_goes_to_the_method() {
        let head = head(Instant::now() + Duration::from_secs(3600));
        assert_eq!(head.uri().path(), "/patchbay.shim.v1.Shim/Invoke");
        assert_eq!(head.uri().authority().map(|authority| authority.as_str()), Some("localhost"));
        let timeout = head.headers()["grpc-timeout"].to_str().expect("text");
        assert!(timeout.len() <= 9 && timeout.starts_with("3599") && timeout.ends_with('m'), "{timeout}");
    }
}
