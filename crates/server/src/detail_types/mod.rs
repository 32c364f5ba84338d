//! Types of authorization details that an operator describes by a JSON Schema, without code (RFC 9396 section 11.3).

use std::borrow::Cow;
use std::path::Path;

use chancery_core::error::Complaint;
use chancery_core::model::{AuthorizationDetail, Client};
use chancery_core::policy::{COMMON_ARRAYS, DetailFault, DetailText, DetailType, Words, narrowed, readable};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value, json};

#[cfg(test)]
mod tests;

/// The keyword for the title of a type, member or value.
const TITLE: &str = "title";
/// The keyword for its titles in other languages: language tag and title. JSON Schema itself has none.
const TITLES: &str = "titles";
/// The keyword, at the root, for the arrays of strings of which a token request may ask for a part.
const NARROWABLE: &str = "narrowable";
/// The keyword for what is in an array.
const ITEMS: &str = "items";
/// How often a schema may refer to another place before its words are looked for in vain: one that refers to itself ends.
const MOST_STEPS: usize = 8;
/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A type that a JSON Schema describes.
pub(crate) struct SchemaType {
    name: String,
    schema: Value,
    validator: Validator,
    narrowable: Vec<String>,
}

/// The types whose schemas stand in these files.
///
/// # Errors
/// Everything that is wrong with one of them.
pub(crate) fn read<'f>(
    files: impl IntoIterator<Item = (&'f String, &'f std::path::PathBuf)>,
) -> Result<Vec<SchemaType>, Vec<Complaint>> {
    let (mut types, mut complaints) = (Vec::new(), Vec::new());
    for (name, file) in files {
        match read_one(name, file) {
            Ok(detail_type) => types.push(detail_type),
            Err(what) => {
                let rule = format!("{}: {what}", file.display());
                let setting = format!("authorization_details.types.{name}");
                complaints.push(Complaint::new(setting, rule, "JSON Schema 2020-12"));
            }
        }
    }
    if complaints.is_empty() { Ok(types) } else { Err(complaints) }
}

fn read_one(name: &str, file: &Path) -> Result<SchemaType, String> {
    let text = crate::text_file::read(file).map_err(|error| error.to_string())?;
    SchemaType::new(name, &text)
}

impl SchemaType {
    /// The type of this name that this schema describes.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub(crate) fn new(name: &str, text: &str) -> Result<Self, String> {
        let mut schema: Value =
            serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let Some(root) = schema.as_object_mut() else { return Err("must be a JSON object".to_owned()) };
        if root.get("$schema").is_some_and(|dialect| dialect != DIALECT) {
            return Err(format!("$schema must be {DIALECT}"));
        }
        let narrowable = match root.get(NARROWABLE) {
            None => COMMON_ARRAYS.map(str::to_owned).to_vec(),
            Some(names) => serde_json::from_value(names.clone())
                .map_err(|_| format!("{NARROWABLE} must be an array of the names of members"))?,
        };
        if let Some(name) = wrong_titles(root) {
            return Err(format!("the titles of {name} must be a text for each language tag"));
        }
        of_type(root, name)?;
        close(root);
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            // One that cannot take longer than its text: whoever writes the text is a stranger.
            .with_pattern_options(PatternOptions::regex());
        let validator = options.build(&schema).map_err(|error| error.to_string())?;
        Ok(Self { name: name.to_owned(), schema, validator, narrowable })
    }
}

impl SchemaType {
    /// What is wrong with a detail.
    fn fault_of(&self, detail: &AuthorizationDetail) -> Option<DetailFault> {
        let detail = detail.to_value();
        let faults = self.validator.iter_errors(&detail).map(|error| fault(error.kind()));
        // What is wrong with a known member is said before that there is an unknown one.
        faults.min_by_key(|fault| *fault == DetailFault::MemberUnknown)
    }
}

/// The schema is for objects of this type.
fn of_type(root: &mut Map<String, Value>, name: &str) -> Result<(), String> {
    if *root.entry("type").or_insert_with(|| "object".into()) != "object" {
        return Err("type must be object".to_owned());
    }
    let members = root.entry("properties").or_insert_with(|| json!({}));
    let Some(members) = members.as_object_mut() else {
        return Err("properties must be an object".to_owned());
    };
    members.insert("type".to_owned(), json!({"const": name}));
    Ok(())
}

/// RFC 9396 section 5: members that a type does not know are refused, unless its schema says otherwise. That holds for
/// the object itself and for those in it.
fn close(schema: &mut Map<String, Value>) {
    let says = ["additionalProperties", "unevaluatedProperties"];
    if schema.contains_key("properties") && says.iter().all(|keyword| !schema.contains_key(*keyword)) {
        schema.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    }
    let members = schema.get_mut("properties").and_then(Value::as_object_mut);
    for member in members.into_iter().flat_map(|members| members.values_mut()) {
        member.as_object_mut().into_iter().for_each(close);
    }
    schema.get_mut("items").and_then(Value::as_object_mut).into_iter().for_each(close);
}

/// A member whose titles have another form than they need to be shown, in whatever depth.
fn wrong_titles(schema: &Map<String, Value>) -> Option<String> {
    let is_good =
        |titles: &Value| titles.as_object().is_some_and(|titles| titles.values().all(Value::is_string));
    if schema.get(TITLES).is_some_and(|titles| !is_good(titles)) {
        return Some("the schema".to_owned());
    }
    let members = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let items = schema.get("items").into_iter().map(|items| (ITEMS, items));
    let of_members = members.map(|(name, member)| (name.as_str(), member)).chain(items);
    for (name, member) in of_members {
        if member.as_object().and_then(wrong_titles).is_some() {
            return Some(name.to_owned());
        }
    }
    None
}

impl DetailType for SchemaType {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        self.fault_of(detail).map_or(Ok(()), Err)
    }

    fn text(&self, detail: &AuthorizationDetail, language: &str) -> DetailText {
        let words = SchemaWords { schema: &self.schema, language };
        let title = title(&self.schema, language).unwrap_or(&self.name);
        DetailText::in_words(detail, readable(title), &words)
    }

    fn narrow(
        &self,
        granted: &AuthorizationDetail,
        asked: &AuthorizationDetail,
    ) -> Option<AuthorizationDetail> {
        narrowed(granted, asked, &self.narrowable)
    }
}

/// Which of the faults of RFC 9396 section 5 it is.
fn fault(kind: &ValidationErrorKind) -> DetailFault {
    match kind {
        ValidationErrorKind::AdditionalProperties { .. }
        | ValidationErrorKind::UnevaluatedProperties { .. } => DetailFault::MemberUnknown,
        ValidationErrorKind::Type { .. } => DetailFault::MemberType,
        ValidationErrorKind::Required { .. } => DetailFault::MemberMissing,
        _ => DetailFault::MemberValue,
    }
}

/// The title of a schema in this language, or the one that is there for everybody.
fn title<'s>(schema: &'s Value, language: &str) -> Option<&'s str> {
    let titles = schema.get(TITLES).and_then(Value::as_object);
    // `de-CH` is served by `de`, too.
    let wishes =
        std::iter::successors(Some(language), |tag| tag.rsplit_once('-').map(|(shorter, _)| shorter));
    let mut found = wishes.filter_map(|wish| titles?.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wish)));
    let found = found.next().and_then(|(_, title)| title.as_str());
    found.or_else(|| schema.get(TITLE)?.as_str())
}

/// The titles of a schema.
struct SchemaWords<'s> {
    schema: &'s Value,
    language: &'s str,
}

impl<'s> SchemaWords<'s> {
    /// What a schema refers to in its own document.
    fn followed(&self, mut schema: &'s Value) -> &'s Value {
        for _ in 0..MOST_STEPS {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
            let Some(found) = target.and_then(|pointer| self.schema.pointer(pointer)) else { break };
            schema = found;
        }
        schema
    }

    /// The schema itself, or that of the items if it is for arrays.
    fn of_item(&self, schema: &'s Value) -> &'s Value {
        let mut schema = self.followed(schema);
        for _ in 0..MOST_STEPS {
            let Some(items) = schema.get(ITEMS) else { break };
            schema = self.followed(items);
        }
        schema
    }

    /// The schema of a member.
    fn member(&self, of: &'s Value, name: &str) -> Option<&'s Value> {
        self.of_item(of).get("properties")?.get(name)
    }

    /// The title of a value that the schema of its member lists by `oneOf` or `anyOf`, each with `const`.
    fn value(&self, path: &[&str], text: &str) -> Option<&'s str> {
        let mut schema = self.schema;
        for name in path {
            schema = self.member(schema, name)?;
        }
        let schema = self.of_item(schema);
        let lists = ["oneOf", "anyOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
        let listed = lists.flatten().find(|one| one.get("const").and_then(Value::as_str) == Some(text))?;
        title(listed, self.language)
    }
}

impl Words for SchemaWords<'_> {
    fn label(&self, path: &[&str]) -> String {
        let mut schema = Some(self.schema);
        let mut labels = Vec::with_capacity(path.len());
        for name in path {
            schema = schema.and_then(|schema| self.member(schema, name));
            let titled = schema.and_then(|schema| {
                title(schema, self.language).or_else(|| title(self.followed(schema), self.language))
            });
            labels.push(titled.map_or(Cow::Borrowed(*name), Cow::Borrowed));
        }
        readable(&labels.join(" \u{203a} "))
    }

    fn text(&self, path: &[&str], text: &str) -> String {
        match self.value(path, text) {
            Some(title) => readable(title),
            None => readable(text),
        }
    }
}
