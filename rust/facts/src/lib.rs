//! What a WASM module says of itself: imports, exports, memories, sections. Parsed by the parser
//! that Wasmtime uses, in a confined worker; porta gets JSON.

use serde_json::{Map, Value, json};
use wasmparser::{
    Encoding, ExternalKind, KnownCustom, MemoryType, Name, Parser, Payload, TypeRef, Validator, WasmFeatures,
};

/// The custom section in which an agent carries its manifest.
const MANIFEST_SECTION: &str = "porta.manifest";
const MANIFEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// More than this of imports, exports or sections is no agent that anybody wrote.
const ITEMS_MAX: usize = 100_000;

/// WebAssembly 3.0: what Wasmtime takes as it stands.
fn features() -> WasmFeatures {
    WasmFeatures::WASM3
}

fn kind_of_import(ty: &TypeRef) -> &'static str {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => "function",
        TypeRef::Table(_) => "table",
        TypeRef::Memory(_) => "memory",
        TypeRef::Global(_) => "global",
        TypeRef::Tag(_) => "tag",
    }
}

fn kind_of_export(kind: ExternalKind) -> &'static str {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => "function",
        ExternalKind::Table => "table",
        ExternalKind::Memory => "memory",
        ExternalKind::Global => "global",
        ExternalKind::Tag => "tag",
    }
}

/// C strings end at NUL, so a name with one must not look like the part before it.
fn text(name: &str) -> Value {
    Value::String(name.replace('\0', "\u{fffd}"))
}

#[derive(Default)]
struct Facts {
    imports: Vec<Value>,
    exports: Vec<Value>,
    memories: Vec<Value>,
    sections: Vec<Value>,
    functions: u32,
    has_start: bool,
    name: Option<String>,
    manifest: Option<String>,
}

impl Facts {
    fn add_memory(&mut self, memory: MemoryType, imported: bool) {
        let mut value = json!({ "minimum": memory.initial, "imported": imported, "shared": memory.shared });
        if let Some(maximum) = memory.maximum {
            value["maximum"] = json!(maximum);
        }
        self.memories.push(value);
    }

    fn add_section(&mut self, name: &str, data: &[u8]) -> Result<(), String> {
        self.sections.push(json!({ "name": text(name), "bytes": data.len() }));
        if name != MANIFEST_SECTION {
            return Ok(());
        }
        if self.manifest.is_some() {
            return Err(format!("has two custom sections {MANIFEST_SECTION}"));
        }
        if data.len() > MANIFEST_BYTES_MAX {
            return Err(format!("has a custom section {MANIFEST_SECTION} of more than 4 MiB"));
        }
        let manifest = std::str::from_utf8(data).map_err(|_| format!("has a custom section {MANIFEST_SECTION} that is not UTF-8"))?;
        self.manifest = Some(manifest.replace('\0', "\u{fffd}"));
        Ok(())
    }

    fn add(&mut self, payload: Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(invalid)?;
                    if let TypeRef::Memory(memory) = import.ty {
                        self.add_memory(memory, true);
                    }
                    self.imports.push(json!({
                        "module": text(import.module),
                        "name": text(import.name),
                        "kind": kind_of_import(&import.ty),
                    }));
                    check_count(self.imports.len(), "imports")?;
                }
            }
            Payload::FunctionSection(functions) => self.functions = functions.count(),
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.add_memory(memory.map_err(invalid)?, false);
                    check_count(self.memories.len(), "memories")?;
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(invalid)?;
                    self.exports.push(json!({ "name": text(export.name), "kind": kind_of_export(export.kind) }));
                    check_count(self.exports.len(), "exports")?;
                }
            }
            Payload::StartSection { .. } => self.has_start = true,
            Payload::CustomSection(section) => {
                // A name section that is malformed is no fault of the module: it is for debuggers.
                if let KnownCustom::Name(names) = section.as_known() {
                    for name in names {
                        if let Ok(Name::Module { name, .. }) = name {
                            self.name = Some(name.to_owned());
                        }
                        break;
                    }
                }
                self.add_section(section.name(), section.data())?;
                check_count(self.sections.len(), "custom sections")?;
            }
            _ => {}
        }
        Ok(())
    }

    fn into_json(self) -> Value {
        let mut object = Map::new();
        object.insert("kind".into(), "module".into());
        if let Some(name) = self.name {
            object.insert("name".into(), text(&name));
        }
        object.insert("functions".into(), self.functions.into());
        object.insert("has_start".into(), self.has_start.into());
        object.insert("imports".into(), self.imports.into());
        object.insert("exports".into(), self.exports.into());
        object.insert("memories".into(), self.memories.into());
        object.insert("sections".into(), self.sections.into());
        if let Some(manifest) = self.manifest {
            object.insert("manifest".into(), manifest.into());
        }
        Value::Object(object)
    }
}

fn check_count(count: usize, what: &str) -> Result<(), String> {
    if count > ITEMS_MAX {
        return Err(format!("has more than {ITEMS_MAX} {what}"));
    }
    Ok(())
}

fn invalid(error: wasmparser::Error) -> String {
    format!("is not valid WASM: {} (at byte {})", error.message(), error.offset())
}

/// The facts as JSON, or a sentence that goes on "the file ...".
pub fn facts_of(module: &[u8], validate: bool) -> Result<String, String> {
    if module.is_empty() {
        return Err("is empty".into());
    }
    if module.starts_with(b"\x7fELF") {
        return Err("holds code that was compiled before: porta takes WASM modules only, and compiles them itself".into());
    }
    if !module.starts_with(b"\0asm") {
        return Err("is not WASM: it does not begin with \\0asm".into());
    }
    let mut facts = Facts::default();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(invalid)?;
        if let Payload::Version { encoding: Encoding::Component, .. } = payload {
            return Ok(json!({ "kind": "component" }).to_string());
        }
        facts.add(payload)?;
    }
    if validate {
        Validator::new_with_features(features()).validate_all(module).map_err(invalid)?;
    }
    Ok(facts.into_json().to_string())
}

/// # Safety
/// `module` has `length` bytes; the results can be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_wasm_facts(
    module: *const u8,
    length: usize,
    validate: bool,
    ret_text: *mut *mut u8,
    ret_length: *mut usize,
) -> bool {
    let module = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(module, length) } };
    let result = facts_of(module, validate);
    let is_ok = result.is_ok();
    let text = result.unwrap_or_else(|sentence| sentence).into_bytes().into_boxed_slice();
    unsafe {
        *ret_length = text.len();
        *ret_text = Box::into_raw(text).cast();
    }
    is_ok
}

/// # Safety
/// `text` and `length` come from porta_wasm_facts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn porta_wasm_text_free(text: *mut u8, length: usize) {
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(text, length)) });
}
