//! Lists of scopes: which element is none, and what to write instead.

use chancery_core::error::Complaint;
use chancery_types::Scope;
use toml::{Table, Value};

const SECTION: &str = "RFC 6749 section 3.3";

/// Complains about each element of `scopes.extra` and each key of `claims.scopes` that is no scope, and takes it out.
pub(super) fn strike(table: &mut Table, complaints: &mut Vec<Complaint>) {
    let section = |table: &mut Table, name: &str, key: &str| -> Option<Value> {
        table.get_mut(name)?.as_table_mut()?.remove(key)
    };
    if let Some(mut list) = section(table, "scopes", "extra") {
        let rules = wrong(&list);
        complaints.extend(rules.map(|rule| Complaint::new("scopes.extra", rule, SECTION)));
        if let Value::Array(items) = &mut list {
            items.retain(|item| item.as_str().is_none_or(is_scope));
        }
        put(table, "scopes", "extra", list);
    }
    if let Some(Value::Table(mut claims)) = section(table, "claims", "scopes") {
        claims.retain(|name, _| {
            let rule = rule(name);
            complaints.extend(rule.clone().map(|rule| Complaint::new("claims.scopes", rule, SECTION)));
            rule.is_none()
        });
        put(table, "claims", "scopes", Value::Table(claims));
    }
}

fn put(table: &mut Table, name: &str, key: &str, value: Value) {
    if let Some(Value::Table(section)) = table.get_mut(name) {
        section.insert(key.to_owned(), value);
    }
}

/// What is wrong with the elements of a list, which may be none.
pub(super) fn wrong(list: &Value) -> impl Iterator<Item = String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let numbered = items.iter().zip(1..).filter_map(|(item, number): (_, u32)| {
        let rule = rule(item.as_str()?)?;
        Some(format!("number {number}, {rule}"))
    });
    numbered.collect::<Vec<_>>().into_iter()
}

fn is_scope(text: &str) -> bool {
    Scope::parse(text).is_ok()
}

/// Why a text is no scope, and what to write.
fn rule(text: &str) -> Option<String> {
    if is_scope(text) {
        return None;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(match words.as_slice() {
        [] => format!("{text:?}, is no scope: leave it out"),
        [word] if is_scope(word) => format!("{text:?}, has a blank at its end: write {word:?}"),
        [_, _, ..] if words.iter().all(|word| is_scope(word)) => {
            format!("{text:?}, is several scopes, which stand by themselves: write {}", listed(&words))
        }
        _ => format!(
            "{text:?}, is no scope: it has 1 to 255 printable ASCII characters, without blanks, quotes and backslashes"
        ),
    })
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_that_is_no_scope_is_named_and_taken_out() {
        let text = "[scopes]\nextra = ['a b', 'c', '', 'd ', 'e\u{e9}', 'f \u{e9}']\n[claims]\nscopes = { 'g h' = ['x'], i = ['y'] }\n";
        let mut table: Table = text.parse().unwrap();
        let mut complaints = Vec::new();
        strike(&mut table, &mut complaints);
        let said: Vec<String> =
            complaints.iter().map(|found| format!("{}: {}", found.setting, found.rule)).collect();
        let no_scope =
            "is no scope: it has 1 to 255 printable ASCII characters, without blanks, quotes and backslashes";
        assert_eq!(
            said,
            [
                "scopes.extra: number 1, \"a b\", is several scopes, which stand by themselves: write \"a\", \"b\"".to_owned(),
                "scopes.extra: number 3, \"\", is no scope: leave it out".to_owned(),
                "scopes.extra: number 4, \"d \", has a blank at its end: write \"d\"".to_owned(),
                format!("scopes.extra: number 5, \"e\u{e9}\", {no_scope}"),
                format!("scopes.extra: number 6, \"f \u{e9}\", {no_scope}"),
                "claims.scopes: \"g h\", is several scopes, which stand by themselves: write \"g\", \"h\"".to_owned(),
            ]
        );
        let left = "[scopes]\nextra = ['c']\n[claims]\nscopes = { i = ['y'] }\n";
        assert_eq!(table, left.parse::<Table>().unwrap());
    }
}
