//! Compiling without loading: the C API's way to serialized code goes through a module that can be
//! run, and so through executable memory, which a worker that compiles must not have.

use wasmtime_c_api::wasmtime::Engine;
use wasmtime_c_api::{wasm_byte_vec_t, wasm_engine_t, wasmtime_error_t};

/// # Safety
/// `module` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_wasm_compile(
    engine: *const wasm_engine_t,
    module: *const u8,
    length: usize,
    ret_code: &mut wasm_byte_vec_t,
) -> Option<Box<wasmtime_error_t>> {
    // SAFETY: wasm_engine_t is repr(C) and has the engine as its only member.
    let engine = unsafe { &*engine.cast::<Engine>() };
    let module = unsafe { std::slice::from_raw_parts(module, length) };
    match engine.precompile_module(module) {
        Ok(code) => {
            ret_code.set_buffer(code);
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}
