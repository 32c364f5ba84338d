//! `chancery client show`.

use chancery_core::model::Client;
use chancery_types::Timestamp;
use serde_json::{Map, Value, json};

use crate::commands::Output;
use crate::commands::printed::Form;
use crate::terminal::Escaped;

/// Everything about a client but its secrets. `metadata` of the JSON is what `client update` takes.
pub(super) fn shown(client: &Client, now: Timestamp, form: Form) -> Output {
    let metadata = metadata(client)?;
    let state = if client.is_enabled() { "enabled" } else { "disabled" };
    let registered = client.registered_at().rfc3339();
    let by = if client.is_dynamic() { "by itself" } else { "by an operator" };
    let ends: Vec<Option<String>> = client.good_secrets(now).map(|end| end.map(Timestamp::rfc3339)).collect();
    let value = json!({
        "client_id": client.id(), "state": state, "registered_at": registered, "registered": by,
        "secrets": ends.iter().map(|end| json!({ "ends": end })).collect::<Vec<_>>(),
        "metadata": metadata,
    });
    let mut rows = vec![
        ("client_id".to_owned(), client.id().to_string()),
        ("state".to_owned(), state.to_owned()),
        ("registered".to_owned(), format!("{registered} {by}")),
    ];
    rows.extend(ends.into_iter().map(|end| {
        let until = end.map_or_else(|| "good without an end".to_owned(), |end| format!("good until {end}"));
        ("secret".to_owned(), until)
    }));
    members("", &metadata, &mut rows);
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        format!("{:width$}  {}\n", Escaped(name).to_string(), Escaped(value))
    };
    Ok(form.print(rows.iter().map(line).collect::<String>(), &value))
}

/// All members as `client update` takes them; none is secret.
pub(super) fn metadata(client: &Client) -> Result<Map<String, Value>, String> {
    let metadata = serde_json::to_value(client.metadata()).map_err(|error| error.to_string())?;
    let Value::Object(mut metadata) = metadata else { return Err("the metadata are no object".to_owned()) };
    for (name, value) in client.extra_members() {
        metadata.insert(name.to_owned(), serde_json::from_str(value.get()).unwrap_or(Value::Null));
    }
    Ok(metadata)
}

/// A line for each member and for each item of a list; those of the member `chancery` stand under their full names.
fn members(prefix: &str, of: &Map<String, Value>, rows: &mut Vec<(String, String)>) {
    for (name, value) in of {
        let full = format!("{prefix}{name}");
        match value {
            Value::Object(inner) if name == "chancery" => members("chancery.", inner, rows),
            Value::Array(items) if items.is_empty() => rows.push((full, "none".to_owned())),
            Value::Array(items) => {
                rows.extend(items.iter().map(|item| (full.clone(), plain(item))));
            }
            value => rows.push((full, plain(value))),
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
