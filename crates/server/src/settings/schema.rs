//! The catalogue as a JSON Schema (draft 2020-12).

use serde_json::{Map, Value, json};

use super::catalogue::{ALL, Form, SECTIONS, Setting};

/// The output of `chancery schema`, with which editors complete and check a configuration.
pub(crate) fn schema() -> String {
    let mut root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of the Chancery authorization server",
        "type": "object",
        "additionalProperties": false,
        "properties": {},
    });
    for setting in ALL.iter() {
        let (sections, name) = setting.path();
        let mut place = &mut root;
        for section in sections {
            place = child(place, section);
        }
        if let Some(properties) = properties(place) {
            properties.insert(name.to_owned(), value(setting));
        }
    }
    for (section, meaning) in SECTIONS {
        if let Some(Value::Object(found)) = properties(&mut root).and_then(|all| all.get_mut(*section)) {
            found.insert("description".to_owned(), json!(meaning));
        }
    }
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

fn properties(of: &mut Value) -> Option<&mut Map<String, Value>> {
    of.get_mut("properties").and_then(Value::as_object_mut)
}

/// The schema of a section, which is made if it does not exist.
#[expect(clippy::indexing_slicing, reason = "indexing a JSON object inserts what is missing")]
fn child<'a>(of: &'a mut Value, section: &str) -> &'a mut Value {
    let object = json!({ "type": "object", "additionalProperties": false, "properties": {} });
    let all = &mut of["properties"];
    match section.strip_suffix("[]") {
        None => {
            if all[section].is_null() {
                all[section] = object;
            }
            &mut all[section]
        }
        Some(repeated) => {
            if all[repeated].is_null() {
                all[repeated] = json!({ "type": "array", "items": object });
            }
            &mut all[repeated]["items"]
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "indexing a JSON object inserts what is missing")]
fn value(setting: &Setting) -> Value {
    let mut schema = match setting.form {
        Form::Text => json!({ "type": "string" }),
        Form::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Form::Switch => json!({ "type": "boolean" }),
        Form::Number => json!({ "type": "integer", "minimum": 0 }),
        Form::Duration => {
            json!({ "type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$" })
        }
        Form::Choice(choices) => json!({ "enum": choices }),
        Form::TextByName => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Form::TextsByName => {
            json!({ "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } } })
        }
    };
    schema["description"] = json!(setting.meaning());
    if let Some(default) = setting.default_value() {
        schema["default"] = serde_json::to_value(default).unwrap_or_default();
    }
    schema
}
