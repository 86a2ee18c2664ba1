//! A guest's standard output as a function of the worker's. The C API's own way to that
//! (`wasi_config_set_stdout_custom`) hands each write to another thread and waits, which is more than a
//! whole call costs; and it cannot end the guest that writes too much.

use std::ffi::c_void;
use wasmtime_c_api::wasi_config_t;
use wasmtime_c_api::wasmtime::error::format_err;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// What a guest hands over in one write at most; no limit of all.
const WRITE_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Copy)]
struct Output {
    write: extern "C" fn(*mut c_void, *const u8, usize) -> bool,
    data: *mut c_void,
}
// SAFETY: a worker runs guest code in one thread.
unsafe impl Send for Output {}
unsafe impl Sync for Output {}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        if (self.write)(self.data, bytes.as_ptr(), bytes.len()) {
            Ok(())
        } else {
            Err(StreamError::Trap(format_err!("no more output is taken")))
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }

    /// Of WASI 0.3 alone, which no guest here speaks.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

/// # Safety
/// `data` outlives the stores that `config` is set for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_wasm_config_stdout(
    config: *mut wasi_config_t,
    write: extern "C" fn(*mut c_void, *const u8, usize) -> bool,
    data: *mut c_void,
) {
    // SAFETY: wasi_config_t is repr(C) and has the builder as its only member.
    let builder = unsafe { &mut *config.cast::<WasiCtxBuilder>() };
    builder.stdout(Output { write, data });
}
