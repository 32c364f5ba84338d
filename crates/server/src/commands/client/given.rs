//! The metadata of clients as somebody has given it to a command.

use serde_json::value::RawValue;

use crate::arguments::Metadata;
use crate::commands::content;

/// Metadata, and what it is called in complaints.
pub(super) struct Given {
    place: String,
    json: Vec<u8>,
    /// Whether a shell has had it in its hands.
    is_argument: bool,
}

impl Given {
    /// From the command line or from a file.
    pub(super) fn read(metadata: Metadata) -> Result<Self, String> {
        match metadata {
            Metadata { given: Some(json), .. } => {
                Ok(Self { place: "the argument".to_owned(), json: json.into_bytes(), is_argument: true })
            }
            Metadata { file: Some(file), .. } => {
                let json = content(&file).map_err(|why| format!("--file: {why}"))?;
                let place = match file.as_os_str() == "-" {
                    true => "the standard input".to_owned(),
                    false => file.display().to_string(),
                };
                Ok(Self { place, json, is_argument: false })
            }
            Metadata { .. } => {
                Err("give the metadata by flags, as JSON, or with --file; --help shows examples".to_owned())
            }
        }
    }

    /// Of a client whose members were given one by one.
    pub(super) fn typed(json: Vec<u8>) -> Self {
        Self { place: "the argument".to_owned(), json, is_argument: false }
    }

    /// The objects of an array, or the one object; and whether it is an array.
    pub(super) fn clients(&self) -> Result<(Vec<Box<RawValue>>, bool), String> {
        if self.first() != Some(b'[') {
            return Ok((vec![self.client()?], false));
        }
        let all: Vec<Box<RawValue>> =
            serde_json::from_slice(&self.json).map_err(|error| self.broken(&error))?;
        match all.iter().position(|one| !is_object(one)) {
            None => Ok((all, true)),
            Some(at) => {
                Err(format!("{}: number {} of the list is no JSON object, {EXAMPLE}", self.place, at + 1))
            }
        }
    }

    /// The one object.
    pub(super) fn client(&self) -> Result<Box<RawValue>, String> {
        let one: Box<RawValue> = serde_json::from_slice(&self.json).map_err(|error| self.broken(&error))?;
        let place = &self.place;
        if is_object(&one) { Ok(one) } else { Err(format!("{place} is no JSON object, {EXAMPLE}")) }
    }

    fn first(&self) -> Option<u8> {
        self.json.iter().copied().find(|byte| !byte.is_ascii_whitespace())
    }

    /// What is said of what is no JSON. Where quotes are missing, the shell may have taken them.
    fn broken(&self, error: &serde_json::Error) -> String {
        let place = &self.place;
        let is_like_json = matches!(self.first(), Some(b'{' | b'['));
        if self.is_argument && is_like_json && !self.json.contains(&b'"') {
            return format!(
                "{place} is not JSON ({error}): names and texts stand in double quotes, and in a shell all of it in single ones, \
                 which keep them: '{{\"client_name\": \"App\"}}'"
            );
        }
        if self.is_argument && !is_like_json {
            return format!("{place} is no JSON object, {EXAMPLE}; a file is named by --file");
        }
        format!("{place} is not JSON: {error}")
    }
}

const EXAMPLE: &str =
    "such as {\"client_name\": \"App\", \"redirect_uris\": [\"https://app.example.org/callback\"]}";

fn is_object(json: &RawValue) -> bool {
    json.get().starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_client_is_explained() {
        for (json, is_argument, expected) in [
            (
                "{client_id:x}",
                true,
                "GIVEN is not JSON (key must be a string at line 1 column 2): names and texts stand in double quotes",
            ),
            ("{\"a\":1", true, "GIVEN is not JSON: EOF"),
            ("{client_id:x}", false, "GIVEN is not JSON: key must be a string"),
            ("app.json", true, "GIVEN is no JSON object, such as {\"client_name\""),
            ("5", true, "GIVEN is no JSON object, such as {\"client_name\""),
            ("[{}, 1]", true, "GIVEN: number 2 of the list is no JSON object, such as"),
        ] {
            let given = Given { place: "GIVEN".to_owned(), json: json.as_bytes().to_vec(), is_argument };
            let said = given.clients().unwrap_err();
            assert!(said.starts_with(expected), "{json}: {said}");
        }
    }
}
