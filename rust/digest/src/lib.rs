//! SHA-256 (FIPS 180-4) for porta: names of cached code, hashes that `inspect` shows.
//!
//! Without the standard library: porta is a small static program, and this is linked into it.
//! The C side is `include/porta_digest.h`.
#![cfg_attr(not(test), no_std)]

use core::mem::{align_of, size_of};
use core::slice;
use sha2::{Digest, Sha256};

/// The storage that the caller has for a hash under way; `struct porta_sha256` of the header.
#[repr(C, align(16))]
pub struct Storage {
    bytes: [u8; 128],
}

const _: () = assert!(size_of::<Sha256>() <= size_of::<Storage>());
const _: () = assert!(align_of::<Sha256>() <= align_of::<Storage>());

/// # Safety
/// `storage` can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_sha256_init(storage: *mut Storage) {
    unsafe { storage.cast::<Sha256>().write(Sha256::new()) }
}

/// # Safety
/// `storage` went through `porta_sha256_init`; `data` has `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_sha256_update(storage: *mut Storage, data: *const u8, length: usize) {
    if length > 0 {
        unsafe { (*storage.cast::<Sha256>()).update(slice::from_raw_parts(data, length)) }
    }
}

/// # Safety
/// `storage` went through `porta_sha256_init`; `ret_digest` has 32 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_sha256_final(storage: *mut Storage, ret_digest: *mut [u8; 32]) {
    unsafe {
        let digest = storage.cast::<Sha256>().read().finalize();
        ret_digest.write(digest.into());
    }
}

/// `core` comes compiled for unwinding and names this; nothing here unwinds.
#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe extern "C" {
        safe fn abort() -> !;
    }
    abort()
}
