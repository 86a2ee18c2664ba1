//! A limit of a store that ends the guest where `memory.grow` or `table.grow` would pass it, and
//! says which it was. The C API's own limiter makes the instruction return -1, which most programs
//! answer with a crash that tells nobody why; it can be told to trap, but then does so at the
//! module's own maximum too, where the specification wants -1.

use wasmtime_c_api::wasmtime::{self, ResourceLimiter};
use wasmtime_c_api::{WasmtimeStore, wasmtime_store_t};

/// `struct porta_wasm_limits` of the header; lives as long as its store.
#[repr(C)]
pub struct Limits {
    memory_bytes_max: u64,
    table_elements_max: u64,
    memory_bytes: u64,
    hit: u32,
}

const HIT_MEMORY: u32 = 1;
const HIT_TABLE: u32 = 2;

impl Limits {
    fn stop(&mut self, hit: u32) -> wasmtime::Result<bool> {
        self.hit = hit;
        Err(wasmtime::Error::msg("the limit is reached"))
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        // The memories of a module count together.
        let grown = self.memory_bytes + (desired - current) as u64;
        if grown > self.memory_bytes_max {
            return self.stop(HIT_MEMORY);
        }
        self.memory_bytes = grown;
        Ok(true)
    }

    /// What the machine refuses (RLIMIT_DATA) is a limit too.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.is::<std::io::Error>() {
            self.hit = HIT_MEMORY;
            return Err(error);
        }
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if desired as u64 > self.table_elements_max {
            return self.stop(HIT_TABLE);
        }
        Ok(true)
    }
}

/// The address of limits that the C side keeps alive.
struct Shared(*mut Limits);
// SAFETY: a worker runs guest code in one thread.
unsafe impl Send for Shared {}
unsafe impl Sync for Shared {}

impl Shared {
    fn get(&mut self) -> &mut Limits {
        unsafe { &mut *self.0 }
    }
}

/// # Safety
/// `limits` outlives the store, and nothing else touches it while the guest runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_wasm_store_limit(store: *mut wasmtime_store_t, limits: *mut Limits) {
    // SAFETY: wasmtime_store_t is repr(C) and has the store as its only member.
    let store = unsafe { &mut *store.cast::<WasmtimeStore>() };
    let mut shared = Shared(limits);
    store.limiter(move |_| {
        let limits: *mut Limits = shared.get();
        unsafe { &mut *limits }
    });
}
