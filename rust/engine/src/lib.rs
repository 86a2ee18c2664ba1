//! Wasmtime's C API as one static library for porta-engine, and what the C API lacks: the facts of
//! a module, compiling without loading, a store limit that ends the guest, and output by function. The C side is `include/porta_wasm.h`.

mod compile;
mod limits;
mod output;

/// Of all that is Rust in the engine.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// What these crates export is used from C alone.
pub use porta_wasm_facts::*;
pub use wasmtime_c_api::*;
