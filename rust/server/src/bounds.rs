//! Bounds on a schema before it is compiled. What a schema applies to the same place of an instance
//! ($ref, allOf, anyOf...) must come to an end, and to one of a bounded number of steps: else one
//! small instance takes for ever, or all of the stack.

use std::collections::HashMap;

use serde_json::{Map, Value};

const DEPTH_MAX: usize = 64;
const SUBSCHEMAS_MAX: usize = 10_000;
/// Subschemas that are applied to one place of an instance, each as often as it is.
const STEPS_MAX: u64 = 10_000;

/// Keywords whose value is a schema, or a list of them, for the same place.
const SAME_PLACE: [&str; 7] = ["not", "if", "then", "else", "allOf", "anyOf", "oneOf"];
/// Objects of schemas for the same place.
const SAME_PLACE_NAMED: [&str; 2] = ["dependentSchemas", "dependencies"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

struct Graph<'a> {
    root: &'a Value,
    anchors: HashMap<&'a str, Vec<&'a Value>>,
    subschemas: usize,
    /// By address: None while it is being counted.
    steps: HashMap<*const Value, Option<u64>>,
}

pub fn check(root: &Value) -> Result<(), String> {
    let mut graph = Graph { root, anchors: HashMap::new(), subschemas: 0, steps: HashMap::new() };
    graph.collect(root, 0)?;
    graph.count_all(root)
}

impl<'a> Graph<'a> {
    fn collect(&mut self, value: &'a Value, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("is deeper than {DEPTH_MAX} levels"));
        }
        match value {
            Value::Object(members) => {
                self.subschemas += 1;
                if self.subschemas > SUBSCHEMAS_MAX {
                    return Err(format!("has more than {SUBSCHEMAS_MAX} objects"));
                }
                for key in ["$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(name)) = members.get(key) {
                        self.anchors.entry(name).or_default().push(value);
                    }
                }
                // Another base for what is referred to: more than an agent needs.
                if depth > 0 && (members.get("$id").is_some_and(Value::is_string)) && is_schema(members) {
                    return Err("has an $id inside, which is not supported".to_owned());
                }
                members.values().try_for_each(|member| self.collect(member, depth + 1))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.collect(item, depth + 1)),
            _ => Ok(()),
        }
    }

    /// Each object could be the schema of some place.
    fn count_all(&mut self, value: &'a Value) -> Result<(), String> {
        match value {
            Value::Object(members) => {
                self.count(value)?;
                members.values().try_for_each(|member| self.count_all(member))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.count_all(item)),
            _ => Ok(()),
        }
    }

    /// How many subschemas are applied to a place that `schema` is applied to.
    fn count(&mut self, schema: &'a Value) -> Result<u64, String> {
        let Value::Object(members) = schema else { return Ok(1) };
        let address: *const Value = schema;
        match self.steps.get(&address) {
            Some(Some(steps)) => return Ok(*steps),
            Some(None) => return Err("refers to itself without an end".to_owned()),
            None => (),
        }
        self.steps.insert(address, None);
        let mut steps = 1u64;
        for next in self.applied(members)? {
            steps = steps.saturating_add(self.count(next)?);
        }
        if steps > STEPS_MAX {
            return Err(format!("applies more than {STEPS_MAX} schemas to one value"));
        }
        self.steps.insert(address, Some(steps));
        Ok(steps)
    }

    fn applied(&self, members: &'a Map<String, Value>) -> Result<Vec<&'a Value>, String> {
        let mut found = Vec::new();
        for key in SAME_PLACE {
            match members.get(key) {
                Some(Value::Array(items)) => found.extend(items),
                Some(value @ Value::Object(_)) => found.push(value),
                _ => (),
            }
        }
        for key in SAME_PLACE_NAMED {
            if let Some(Value::Object(named)) = members.get(key) {
                found.extend(named.values());
            }
        }
        for key in REFERENCES {
            if let Some(Value::String(reference)) = members.get(key) {
                found.extend(self.resolve(reference, members)?);
            }
        }
        Ok(found)
    }

    fn resolve(&self, reference: &str, members: &Map<String, Value>) -> Result<Vec<&'a Value>, String> {
        let refused = || format!("refers to {reference:.200}, which it does not hold");
        let Some(fragment) = reference.strip_prefix('#') else {
            // The meta-schemas are built in, and end.
            let known = reference.starts_with("https://json-schema.org/draft/")
                || reference.starts_with("http://json-schema.org/draft-");
            return if known && !members.contains_key("$id") { Ok(Vec::new()) } else { Err(refused()) };
        };
        if let Some(anchored) = self.anchors.get(fragment) {
            return Ok(anchored.clone());
        }
        let pointer = decode_percent(fragment).ok_or_else(refused)?;
        self.root.pointer(&pointer).map(|value| vec![value]).ok_or_else(refused)
    }
}

/// An object with "$id" may also be a property list with a property of that name.
fn is_schema(members: &Map<String, Value>) -> bool {
    members.get("$id").is_some_and(Value::is_string)
}

fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(schema: Value) -> String {
        check(&schema).unwrap_err()
    }

    #[test]
    fn endless_references() {
        assert!(refused(json!({"$ref": "#"})).contains("without an end"));
        assert!(refused(json!({"allOf": [{"$ref": "#"}]})).contains("without an end"));
        assert!(
            refused(json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}}))
                .contains("without an end")
        );
        assert!(refused(json!({"$dynamicAnchor": "x", "not": {"$dynamicRef": "#x"}})).contains("without an end"));
    }

    #[test]
    fn exploding_references() {
        let mut definitions = Map::new();
        for i in 0..30 {
            let next = format!("#/$defs/d{}", i + 1);
            definitions.insert(format!("d{i}"), json!({"allOf": [{"$ref": next}, {"$ref": next}]}));
        }
        definitions.insert("d30".into(), json!({"type": "string"}));
        assert!(refused(json!({"$defs": definitions, "$ref": "#/$defs/d0"})).contains("more than"));
    }

    #[test]
    fn depth_and_size() {
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({"not": deep});
        }
        assert!(refused(deep).contains("deeper"));
    }

    #[test]
    fn what_it_does_not_hold() {
        assert!(refused(json!({"$ref": "#/nowhere"})).contains("does not hold"));
        assert!(refused(json!({"$ref": "https://example.com/x"})).contains("does not hold"));
        assert!(check(&json!({"$ref": "#/$defs/a%20b", "$defs": {"a b": {}}})).is_ok());
        assert!(check(&json!({"$defs": {"a": {"$anchor": "here"}}, "$ref": "#here"})).is_ok());
    }
}
