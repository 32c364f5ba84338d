//! Values that do not have the form of their setting.

use chancery_core::duration;
use chancery_core::error::Complaint;
use chancery_types::nearest::did_you_mean;
use toml::{Table, Value};

use super::catalogue::{ALL, Form};
use super::durations;
use super::values::displayed;

/// Complains about each value that does not have its setting's form and removes it, so that the rest can
/// still be checked.
pub(super) fn strike(table: &mut Table, complaints: &mut Vec<Complaint>) {
    for setting in ALL.iter().filter(|setting| !setting.key.contains("[]")) {
        let (sections, last) = setting.path();
        let place = sections
            .into_iter()
            .try_fold(&mut *table, |place, section| place.get_mut(section)?.as_table_mut());
        let Some(place) = place else { continue };
        let Some(rule) = place.get(last).and_then(|value| broken_rule(setting.form, value)) else { continue };
        complaints.push(Complaint::new(setting.key, rule, "docs/configuration.md"));
        place.remove(last);
    }
    for setting in ALL.iter() {
        let Some((section, key)) = setting.key.split_once("[].") else { continue };
        let blocks = table.get_mut(section).and_then(Value::as_array_mut).into_iter().flatten();
        // What can be read of a resource server is looked at as a whole.
        for (number, block) in (1..).zip(blocks).filter(|_| section != "resource_server") {
            let found = block.get(key);
            let Some((rule, value)) =
                found.and_then(|value| Some((broken_rule(setting.form, value)?, value)))
            else {
                continue;
            };
            let rule = format!("{}: {rule}; it is {}", which(block, number), displayed(value));
            complaints.push(Complaint::new(format!("{section}.{key}"), rule, "docs/configuration.md"));
            block.as_table_mut().and_then(|block| block.remove(key));
        }
    }
}

/// Which of the blocks of a section this is.
fn which(block: &Value, number: u32) -> String {
    let name = ["name", "issuer"].into_iter().find_map(|key| block.get(key)?.as_str());
    name.map_or_else(|| format!("number {number}"), |name| format!("{name:?}"))
}

/// The rule of the form that the value breaks.
fn broken_rule(form: Form, value: &Value) -> Option<String> {
    let is_list: fn(&Value) -> bool =
        |value| value.as_array().is_some_and(|items| items.iter().all(Value::is_str));
    let is_each =
        |is_good: fn(&Value) -> bool| value.as_table().is_some_and(|table| table.values().all(is_good));
    let (is_good, rule) = match form {
        Form::Text => (value.is_str(), "must be a string in quotes".to_owned()),
        Form::Texts => {
            (is_list(value), "must be a list of strings in quotes, such as [\"…\", \"…\"]".to_owned())
        }
        Form::Number => {
            let is_number = value.as_integer().is_some_and(|number| u32::try_from(number).is_ok());
            let is_quoted = value.as_str().is_some_and(|text| text.parse::<u32>().is_ok());
            let rule = match value.as_integer() {
                Some(1..) => format!("must be at most {}", u32::MAX),
                None if is_quoted => "must be a whole number without quotes".to_owned(),
                _ => "must be a whole number that is not negative".to_owned(),
            };
            (is_number, rule)
        }
        Form::Switch => (value.is_bool(), "must be true or false, without quotes".to_owned()),
        Form::Duration => match value.as_str().map(duration::parse) {
            Some(Ok(_)) => return None,
            _ => (false, durations::rule(value.as_str().unwrap_or_default())),
        },
        Form::Choice(choices) => {
            let is_choice = value.as_str().is_some_and(|text| choices.contains(&text));
            let text = value.as_str().unwrap_or_default();
            let near = did_you_mean(&text.to_ascii_lowercase(), choices.iter().copied());
            (is_choice, format!("must be one of \"{}\"{near}", choices.join("\", \"")))
        }
        Form::TextByName => (is_each(Value::is_str), "must be a table of strings".to_owned()),
        Form::TextsByName => (is_each(is_list), "must be a table of lists of strings".to_owned()),
    };
    (!is_good).then_some(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_of_another_form_is_named_and_taken_away() {
        let text = "issuer = 5\n[http]\nlisten = '127.0.0.1:1'\nconnections = -1\n[session]\nidle = '2 weeks'\n\
                    [log]\nlevel = 'debug'\n[endpoints]\nintrospection = 'no'\n[pages]\nlocale = 'de'\n[discovery]\nextra = { a = 1 }\n\
                    [claims]\nscopes = { a = 'b' }\n\
                    [[registration_policy]]\nname = 'p'\nsecret_lifetime = 'soon'\n[[registration_policy]]\nname = 5\n";
        let mut table: Table = text.parse().unwrap();
        let mut complaints = Vec::new();
        strike(&mut table, &mut complaints);
        let mut named: Vec<&str> = complaints.iter().map(|complaint| complaint.setting.as_str()).collect();
        named.sort_unstable();
        let expected = [
            "claims.scopes",
            "discovery.extra",
            "endpoints.introspection",
            "http.connections",
            "http.listen",
            "issuer",
            "log.level",
            "registration_policy.name",
            "registration_policy.secret_lifetime",
            "session.idle",
        ];
        assert_eq!(named, expected);
        let left = "[http]\n[session]\n[log]\n[pages]\nlocale = 'de'\n[discovery]\n[claims]\n[endpoints]\n\
                    [[registration_policy]]\nname = 'p'\n[[registration_policy]]\n";
        assert_eq!(table, left.parse::<Table>().unwrap());
    }
}
