//! What commands print: text for people, JSON for programs (`--json`).

use serde_json::Value;

use crate::log::push_inert;
use crate::terminal::Escaped;

/// For whom a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

impl Form {
    pub(super) fn of(is_json: bool) -> Self {
        if is_json { Self::Json } else { Self::Text }
    }

    /// The text, or the value of the same meaning.
    pub(super) fn print(self, text: impl Into<String>, value: &Value) -> String {
        match self {
            Self::Text => text.into(),
            Self::Json => json(value),
        }
    }
}

/// JSON over several lines, in which nothing acts on a terminal.
pub(super) fn json(value: &Value) -> String {
    let mut text = String::new();
    for line in serde_json::to_string_pretty(value).unwrap_or_default().lines() {
        push_inert(&mut text, line);
        text.push('\n');
    }
    text
}

/// A list with a line of headings. A row is made from its cells, which may be text of others, and from the JSON of the
/// same item.
pub(super) struct List<const N: usize> {
    headings: [&'static str; N],
    rows: Vec<[String; N]>,
    values: Vec<Value>,
}

impl<const N: usize> List<N> {
    pub(super) fn new(headings: [&'static str; N]) -> Self {
        Self { headings, rows: Vec::new(), values: Vec::new() }
    }

    pub(super) fn push(&mut self, cells: [String; N], value: Value) {
        self.rows.push(cells.map(|cell| match cell.as_str() {
            "" => "-".to_owned(),
            cell => Escaped(cell).to_string(),
        }));
        self.values.push(value);
    }

    /// The list. Of an empty one people get the hint, on the standard error, and programs an empty array.
    pub(super) fn print(self, form: Form, hint: &str) -> String {
        match form {
            Form::Json => json(&Value::Array(self.values)),
            Form::Text if self.rows.is_empty() => {
                eprintln!("{hint}");
                String::new()
            }
            Form::Text => self.text(),
        }
    }

    fn text(&self) -> String {
        let headings = self.headings.map(str::to_owned);
        let all = || std::iter::once(&headings).chain(&self.rows);
        let width = |at: usize| {
            all().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..N).map(width).collect();
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        all().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_stand_below_their_headings_and_do_nothing_on_a_terminal() {
        let mut list = List::new(["NAME", "STATE"]);
        for (name, state) in [("a", "enabled"), ("Gr\u{fc}\u{df}e", ""), ("b\n\u{202e}c", "x")] {
            list.push([name.to_owned(), state.to_owned()], json!({ "name": name }));
        }
        let text = list.text();
        assert_eq!(
            text,
            "NAME          STATE\na             enabled\nGr\u{fc}\u{df}e         -\nb\\n\\u{202e}c  x\n"
        );
        let json = list.print(Form::Json, "");
        assert!(!json.contains('\u{202e}') && json.contains("\\u202e"), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap().as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn an_empty_list_is_nothing_for_people_and_an_array_for_programs() {
        assert_eq!(List::new(["NAME"]).print(Form::Text, "there is nothing"), "");
        assert_eq!(List::new(["NAME"]).print(Form::Json, "there is nothing"), "[]\n");
    }
}
