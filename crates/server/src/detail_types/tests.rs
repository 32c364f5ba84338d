use chancery_core::policy::DetailValue;

use super::*;

/// RFC 9396 figure 2.
const PAYMENT: &str = r##"{
    "title": "Transfer money",
    "titles": {"de": "Geld überweisen"},
    "required": ["instructedAmount", "creditorAccount"],
    "properties": {
        "actions": {"title": "Actions", "titles": {"de": "Aktionen"}, "items": {"oneOf": [
            {"const": "initiate", "title": "start the payment", "titles": {"de": "Zahlung auslösen"}},
            {"const": "status"},
            {"const": "cancel", "title": "cancel it"}
        ]}},
        "locations": {"items": {"format": "uri"}},
        "instructedAmount": {"title": "Amount", "titles": {"de": "Betrag"}, "required": ["currency", "amount"],
            "properties": {
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "titles": {"de": "Währung"}},
                "amount": {"type": "string", "pattern": "^[0-9]{1,9}([.][0-9]{2})?$"}
            }},
        "creditorName": {"type": "string", "maxLength": 70},
        "creditorAccount": {"$ref": "#/$defs/account", "title": "To"},
        "debtors": {"items": {"$ref": "#/$defs/account"}}
    },
    "$defs": {"account": {"title": "Account", "type": "object", "additionalProperties": false,
        "properties": {"iban": {"type": "string", "title": "IBAN"}, "own": {"type": "boolean"}}}}
}"##;

fn payment_type() -> SchemaType {
    SchemaType::new("payment_initiation", PAYMENT).unwrap()
}

fn payment() -> Value {
    json!({"type": "payment_initiation", "actions": ["initiate", "status", "cancel"],
        "locations": ["https://example.com/payments"],
        "instructedAmount": {"currency": "EUR", "amount": "123.50"}, "creditorName": "Merchant A",
        "creditorAccount": {"iban": "DE02100100109307118603"}})
}

fn detail(value: Value) -> AuthorizationDetail {
    serde_json::from_value(value).unwrap()
}

/// The check does not depend on the client.
fn checked(by: &SchemaType, value: Value) -> Option<DetailFault> {
    by.fault_of(&detail(value))
}

/// RFC 9396 section 5, a row for each line of its list.
#[test]
fn what_a_schema_says_is_checked() {
    let by = payment_type();
    assert_eq!(checked(&by, payment()), None);
    let with = |pointer: &str, value: Value| {
        let mut changed = payment();
        let (object, name) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(object).unwrap()[name] = value;
        changed
    };
    let without = |name: &str| {
        let mut changed = payment();
        changed.as_object_mut().unwrap().remove(name);
        changed
    };
    for (what, value, fault) in [
        ("unknown", with("/remittance", "x".into()), DetailFault::MemberUnknown),
        ("unknown inside", with("/instructedAmount/unit", "x".into()), DetailFault::MemberUnknown),
        ("unknown by reference", with("/creditorAccount/bic", "x".into()), DetailFault::MemberUnknown),
        ("wrong kind", with("/creditorName", 1.into()), DetailFault::MemberType),
        ("wrong kind inside", with("/creditorAccount/own", "yes".into()), DetailFault::MemberType),
        ("wrong value", with("/instructedAmount/currency", "euro".into()), DetailFault::MemberValue),
        ("wrong value", with("/actions", json!(["delete"])), DetailFault::MemberValue),
        ("wrong format", with("/locations", json!(["not a URI"])), DetailFault::MemberValue),
        ("missing", without("creditorAccount"), DetailFault::MemberMissing),
        ("missing inside", with("/instructedAmount", json!({"currency": "EUR"})), DetailFault::MemberMissing),
        (
            "wrong and unknown",
            json!({"type": "payment_initiation", "x": 1, "creditorName": 1, "creditorAccount": {},
                "instructedAmount": {"currency": "EUR", "amount": "1"}}),
            DetailFault::MemberType,
        ),
    ] {
        assert_eq!(checked(&by, value.clone()), Some(fault), "{what}: {value}");
    }
}

/// A schema that says so has other members, and one without properties has none.
#[test]
fn what_a_schema_leaves_open() {
    let open = SchemaType::new("t", r#"{"additionalProperties": {"type": "integer"}}"#).unwrap();
    assert_eq!(checked(&open, json!({"type": "t", "a": 1})), None);
    assert_eq!(checked(&open, json!({"type": "t", "a": "1"})), Some(DetailFault::MemberType));
    let empty = SchemaType::new("t", "{}").unwrap();
    assert_eq!(checked(&empty, json!({"type": "t"})), None);
    assert_eq!(checked(&empty, json!({"type": "t", "a": 1})), Some(DetailFault::MemberUnknown));
    let either = r#"{"oneOf": [{"properties": {"a": true}, "required": ["a"]}, {"properties": {"b": true},
        "required": ["b"]}]}"#;
    let either = SchemaType::new("t", either).unwrap();
    assert_eq!(checked(&either, json!({"type": "t", "a": 1})), None);
    assert!(checked(&either, json!({"type": "t", "c": 1})).is_some());
}

#[test]
fn a_page_speaks_the_language_of_the_schema() {
    let by = payment_type();
    let lines = |language: &str| {
        let text = by.text(&detail(payment()), language);
        let value = |value: &DetailValue| match value {
            DetailValue::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        let members = text.members.iter().map(|member| {
            let values: Vec<String> = member.values.iter().map(value).collect();
            format!("{}: {}", member.label, values.join(", "))
        });
        std::iter::once(text.title.clone()).chain(members).collect::<Vec<_>>()
    };
    assert_eq!(
        lines("de-AT"),
        [
            "Geld überweisen",
            "Aktionen: Zahlung auslösen, status, cancel it",
            "To \u{203a} IBAN: DE02100100109307118603",
            "creditorName: Merchant A",
            "Betrag \u{203a} amount: 123.50",
            "Betrag \u{203a} Währung: EUR",
            "locations: https://example.com/payments",
        ]
    );
    assert_eq!(lines("fr")[..2], ["Transfer money", "Actions: start the payment, status, cancel it"]);
    let several = detail(json!({"type": "payment_initiation", "debtors": [{"iban": "1"}]}));
    assert_eq!(by.text(&several, "en").members[0].label, "debtors \u{203a} IBAN");
}

/// RFC 9396 section 6.1: the common arrays, or those that the schema names instead.
#[test]
fn a_schema_says_what_can_be_less() {
    let asked = |name: &str| detail(json!({"type": "t", name: ["a"]}));
    let granted = detail(json!({"type": "t", "actions": ["a", "b"], "files": ["a", "b"]}));
    let common = SchemaType::new("t", "{}").unwrap();
    assert!(common.narrow(&granted, &asked("actions")).is_some());
    assert!(common.narrow(&granted, &asked("files")).is_none());
    let own = SchemaType::new("t", r#"{"narrowable": ["files"]}"#).unwrap();
    assert!(own.narrow(&granted, &asked("actions")).is_none());
    assert!(own.narrow(&granted, &asked("files")).is_some());
}

/// A schema that refers to itself is walked for a while, and then there is no title.
#[test]
fn a_schema_in_circles() {
    let circles = r##"{"properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/b"}},
        "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}, "b": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/b"}]}}}"##;
    let by = SchemaType::new("t", circles).unwrap();
    let text = by.text(&detail(json!({"type": "t", "a": [["x"]], "b": "y"})), "en");
    assert_eq!(text.members.len(), 2);
}

/// What is wrong with a schema is known when the server starts, and a schema needs nobody else's.
#[test]
fn schemas_that_are_refused() {
    for wrong in [
        "",
        "[]",
        "true",
        r#"{"type": "array"}"#,
        r#"{"type": 1}"#,
        r#"{"properties": []}"#,
        r#"{"properties": {"a": {"type": "text"}}}"#,
        r#"{"properties": {"a": {"pattern": "("}}}"#,
        // It would need a matcher that goes back.
        r#"{"properties": {"a": {"pattern": "(a+)\\1"}}}"#,
        r#"{"properties": {"a": {"format": "iban"}}}"#,
        r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#,
        r#"{"properties": {"a": {"$ref": "https://schemas.example/a.json"}}}"#,
        r#"{"properties": {"a": {"$ref": "file:///etc/hostname"}}}"#,
        r##"{"properties": {"a": {"$ref": "#/$defs/none"}}}"##,
        r#"{"titles": "Geld"}"#,
        r#"{"properties": {"a": {"titles": {"de": 1}}}}"#,
        r#"{"narrowable": "actions"}"#,
    ] {
        assert!(SchemaType::new("t", wrong).is_err(), "{wrong}");
    }
}

/// What a stranger may send, as deep and as long as it may be, takes no time.
#[test]
fn patterns_take_no_longer_than_the_text() {
    let by = SchemaType::new("t", r#"{"properties": {"a": {"pattern": "^(a+)+$"}}}"#).unwrap();
    let text = format!("{}!", "a".repeat(8_000));
    assert_eq!(checked(&by, json!({"type": "t", "a": text})), Some(DetailFault::MemberValue));
}
