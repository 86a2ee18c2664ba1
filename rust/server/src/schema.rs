//! JSON Schema (2020-12 where a schema does not say), bounded: a schema comes from an agent, an
//! instance from an agent or a client, and neither may end the server or hold it up.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::bounds;

/// Tries of a pattern that needs backtracking, for one text.
const BACKTRACK_LIMIT: usize = 20_000;
const PATTERN_BYTES_MAX: usize = 1 << 20;

pub struct Schema {
    validator: Validator,
}

fn compile(text: &[u8]) -> Result<Schema, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| format!("is not JSON: {error}"))?;
    bounds::check(&value)?;
    let validator = jsonschema::options()
        .with_draft(draft(&value)?)
        .offline()
        .with_pattern_options(
            PatternOptions::fancy_regex()
                .backtrack_limit(BACKTRACK_LIMIT)
                .size_limit(PATTERN_BYTES_MAX)
                .dfa_size_limit(PATTERN_BYTES_MAX),
        )
        .build(&value)
        .map_err(|error| format!("at {}: {error}", place(error.instance_path().as_str())))?;
    Ok(Schema { validator })
}

/// The dialects that are known; another one is refused rather than taken for one of these.
fn draft(schema: &Value) -> Result<Draft, String> {
    let Some(name) = schema.get("$schema").and_then(Value::as_str) else {
        return Ok(Draft::Draft202012);
    };
    match name.trim_end_matches('#') {
        "https://json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        "https://json-schema.org/draft/2019-09/schema" => Ok(Draft::Draft201909),
        "http://json-schema.org/draft-07/schema" => Ok(Draft::Draft7),
        "http://json-schema.org/draft-06/schema" => Ok(Draft::Draft6),
        "http://json-schema.org/draft-04/schema" => Ok(Draft::Draft4),
        _ => Err(format!("is of the dialect {name}, which is not supported")),
    }
}

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the top" } else { pointer }
}

fn check(schema: &Schema, text: &[u8]) -> Result<(), String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| format!("is not JSON: {error}"))?;
    schema
        .validator
        .validate(&value)
        .map_err(|error| format!("at {}: {error}", place(error.instance_path().as_str())))
}

/// Cut at a character, with a NUL behind it.
fn put_message(message: &str, to: *mut c_char, size: usize) {
    if size == 0 {
        return;
    }
    let mut length = message.len().min(size - 1);
    while !message.is_char_boundary(length) {
        length -= 1;
    }
    // SAFETY: the caller says that `to` has `size` bytes.
    unsafe {
        std::ptr::copy_nonoverlapping(message.as_ptr(), to.cast(), length);
        to.add(length).write(0);
    }
}

fn bytes<'a>(text: *const c_char, length: usize) -> &'a [u8] {
    // SAFETY: the caller says that `text` has `length` bytes.
    unsafe { slice::from_raw_parts(text.cast(), length) }
}

/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_schema_new(
    text: *const c_char,
    length: usize,
    message: *mut c_char,
    message_size: usize,
) -> *mut Schema {
    let made = catch_unwind(|| compile(bytes(text, length)))
        .unwrap_or_else(|_| Err("cannot be compiled".to_owned()));
    match made {
        Ok(schema) => Box::into_raw(Box::new(schema)),
        Err(sentence) => {
            put_message(&sentence, message, message_size);
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// `schema` is NULL or of `porta_schema_new`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_schema_free(schema: *mut Schema) {
    if !schema.is_null() {
        drop(unsafe { Box::from_raw(schema) });
    }
}

/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_schema_check(
    schema: *const Schema,
    text: *const c_char,
    length: usize,
    message: *mut c_char,
    message_size: usize,
) -> bool {
    let schema = unsafe { &*schema };
    let checked = catch_unwind(AssertUnwindSafe(|| check(schema, bytes(text, length))))
        .unwrap_or_else(|_| Err("cannot be checked".to_owned()));
    match checked {
        Ok(()) => true,
        Err(sentence) => {
            put_message(&sentence, message, message_size);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(schema: &str, instance: &str) -> Result<(), String> {
        check(&compile(schema.as_bytes())?, instance.as_bytes())
    }

    #[test]
    fn names_the_place() {
        let sentence = says(
            r#"{"properties":{"a":{"items":{"type":"string"}}}}"#,
            r#"{"a":["x",1]}"#,
        );
        assert_eq!(sentence.unwrap_err(), "at /a/1: 1 is not of type \"string\"");
    }

    #[test]
    fn fetches_nothing() {
        for reference in ["https://example.com/s.json", "http://127.0.0.1:1/", "file:///etc/passwd", "other.json"] {
            let schema = format!(r#"{{"properties":{{"a":{{"$ref":"{reference}"}}}}}}"#);
            assert!(compile(schema.as_bytes()).is_err(), "{reference}");
        }
    }

    #[test]
    fn knows_dialects() {
        assert!(says(r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#, "{}").is_ok());
        assert!(compile(br#"{"$schema":"https://example.com/mine"}"#).is_err());
        assert!(compile(br#"{"type":"nonsense"}"#).is_err());
    }

    #[test]
    fn stops_patterns_that_backtrack() {
        let text = format!("\"{}!\"", "a".repeat(40));
        assert!(says(r#"{"pattern":"^(?=(a+)+$)(a|a)*\\1$"}"#, &text).is_err());
    }

    #[test]
    fn recursion_that_goes_deeper_is_fine() {
        let list = r##"{"$defs":{"list":{"properties":{"next":{"$ref":"#/$defs/list"}}}},"$ref":"#/$defs/list"}"##;
        assert!(says(list, r#"{"next":{"next":{}}}"#).is_ok());
    }
}
