//! Sealing (XChaCha20-Poly1305): what a client keeps for the server can be neither read nor changed
//! by it, nor used in another place.

use std::slice;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};

const TAG_BYTES: usize = 16;

fn cipher(key: *const [u8; 32]) -> XChaCha20Poly1305 {
    // SAFETY: the caller says that it is one.
    XChaCha20Poly1305::new(&Key::from(unsafe { *key }))
}

/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_seal(
    key: *const [u8; 32],
    nonce: *const [u8; 24],
    bound: *const u8,
    bound_length: usize,
    text: *mut u8,
    length: usize,
    ret_tag: *mut [u8; TAG_BYTES],
) -> bool {
    let (bound, text) =
        unsafe { (slice::from_raw_parts(bound, bound_length), slice::from_raw_parts_mut(text, length)) };
    let nonce = XNonce::from(unsafe { *nonce });
    match cipher(key).encrypt_inout_detached(&nonce, bound, text.into()) {
        Ok(tag) => {
            unsafe { ret_tag.write(tag.into()) };
            true
        }
        Err(_) => false,
    }
}

/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_unseal(
    key: *const [u8; 32],
    nonce: *const [u8; 24],
    bound: *const u8,
    bound_length: usize,
    text: *mut u8,
    length: usize,
    tag: *const [u8; TAG_BYTES],
) -> bool {
    let (bound, text) =
        unsafe { (slice::from_raw_parts(bound, bound_length), slice::from_raw_parts_mut(text, length)) };
    let nonce = XNonce::from(unsafe { *nonce });
    let tag = Tag::from(unsafe { *tag });
    cipher(key).decrypt_inout_detached(&nonce, bound, text.into(), &tag).is_ok()
}
