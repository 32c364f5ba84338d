//! What a command has changed, member by member: for people a line each, old → new, and for programs an object.

use serde_json::{Map, Value, json};

use crate::terminal::Escaped;

/// What differs between two objects.
pub(super) struct Differences {
    members: Vec<(String, Option<Value>, Option<Value>)>,
    /// What has become of a secret, which is never shown.
    secret: Option<&'static str>,
}

impl Differences {
    /// Those between these objects. The members of the member `chancery` are compared one by one.
    pub(super) fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Self {
        let mut members = Vec::new();
        compare("", before, after, &mut members);
        Self { members, secret: None }
    }

    /// With what has become of the client's secret.
    pub(super) fn with_secret(self, had: bool, has: bool, is_new: bool) -> Self {
        let secret = match (had, has) {
            (true, true) if is_new => Some("replaced"),
            (false, true) => Some("made"),
            (true, false) => Some("removed"),
            _ => None,
        };
        Self { secret, ..self }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.secret.is_none()
    }

    /// One a line.
    pub(super) fn text(&self) -> String {
        let said = |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), Value::to_string);
        let members = self.members.iter();
        let members =
            members.map(|(name, before, after)| format!("{name}: {} → {}", said(before), said(after)));
        let secret = self.secret.map(|became| format!("client_secret: {became}"));
        let lines: String = members.chain(secret).map(|line| Escaped(&line).to_string() + "\n").collect();
        if lines.is_empty() { "nothing was changed\n".to_owned() } else { lines }
    }

    /// A member for each.
    pub(super) fn json(&self) -> Value {
        let members = self.members.iter();
        let members =
            members.map(|(name, before, after)| (name.clone(), json!({ "old": before, "new": after })));
        let secret = self.secret.map(|became| ("client_secret".to_owned(), became.into()));
        Value::Object(members.chain(secret).collect())
    }
}

fn compare(
    prefix: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<(String, Option<Value>, Option<Value>)>,
) {
    let added = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(added) {
        match (before.get(name), after.get(name)) {
            (Some(Value::Object(before)), Some(Value::Object(after))) if name == "chancery" => {
                compare("chancery.", before, after, found);
            }
            (before, after) if before != after => {
                found.push((format!("{prefix}{name}"), before.cloned(), after.cloned()));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn each_member_is_said_with_both_values() {
        let before = object(json!({ "client_name": "A", "tos_uri": "https://a.example/", "contacts": ["x"],
            "chancery": { "enabled": true, "consent": "ask" } }));
        let after = object(json!({ "client_name": "A", "contacts": ["x", "y"], "note": "\u{202e}",
            "chancery": { "enabled": true, "consent": "implied" } }));
        let found = Differences::between(&before, &after);
        let mut lines: Vec<String> = found.text().lines().map(str::to_owned).collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "chancery.consent: \"ask\" → \"implied\"",
                "contacts: [\"x\"] → [\"x\",\"y\"]",
                "note: none → \"\\u{202e}\"",
                "tos_uri: \"https://a.example/\" → none",
            ]
        );
        assert_eq!(found.json()["contacts"], json!({ "old": ["x"], "new": ["x", "y"] }));
        assert_eq!(found.json()["tos_uri"], json!({ "old": "https://a.example/", "new": null }));
        let same = Differences::between(&before, &before);
        assert!(same.is_empty() && same.text() == "nothing was changed\n" && same.json() == json!({}));
    }

    #[test]
    fn of_a_secret_only_what_became_of_it_is_said() {
        let none = Map::new();
        let became = |had, has, is_new| Differences::between(&none, &none).with_secret(had, has, is_new);
        for (had, has, is_new, said) in [
            (true, true, true, "client_secret: replaced\n"),
            (false, true, true, "client_secret: made\n"),
            (true, false, false, "client_secret: removed\n"),
            (true, true, false, "nothing was changed\n"),
            (false, false, false, "nothing was changed\n"),
        ] {
            assert_eq!(became(had, has, is_new).text(), said);
        }
        assert_eq!(became(true, true, true).json(), json!({ "client_secret": "replaced" }));
    }
}
