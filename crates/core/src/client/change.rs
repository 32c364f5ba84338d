//! RFC 7591 section 2, a client that an operator changes: by a JSON Merge Patch of its metadata (RFC 7396).

use chancery_jose::json::Object;
use serde_json::{Map, Value};

use super::dynamic::{keeps_secret, sent};
use super::registration::{Draft, Given, RFC7591, bytes, check_offered, fitting_secret, read_extra};
use crate::client::{NotRegistered, Registered, RegistrationRules};
use crate::error::{Complaint, Fault};
use crate::fetch::DynFetch;
use crate::model::client::{ClientMember, OwnSettings, Reader};
use crate::model::{Client, ClientMetadata, RegistrationId};
use crate::ports::Random;

/// Changes the metadata of a client, and fetches what has to be seen before it is registered. A member of the patch
/// replaces that of the client, and `null` removes it. What comes out of it is judged like a new client. The client
/// keeps its id, and its secret unless it needs another one. With
/// [`are_unused_members_refused`](RegistrationRules::are_unused_members_refused) a patch is refused as a whole if one of its
/// members means nothing here.
///
/// What was issued to a client ends for good when it is disabled (`enabled` of the member `chancery`): it is another
/// registration from then on.
///
/// # Errors
/// Everything that is wrong with the result.
pub async fn change_fetching(
    client: &Client,
    patch: &[u8],
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
    fetch: &dyn DynFetch,
) -> Result<Registered, NotRegistered> {
    changed(client, patch, random, rules)?.fetched(fetch).await
}

fn changed(
    client: &Client,
    patch: &[u8],
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
) -> Result<Draft, Vec<Complaint>> {
    let broken = |rule: String| vec![Complaint::new("metadata", rule, RFC7591)];
    let internal = |error: serde_json::Error| broken(error.to_string());
    let members = sent(patch).map_err(|complaint| vec![complaint])?;
    let mut metadata = serde_json::to_value(client.metadata()).map_err(internal)?;
    let patch: Value = serde_json::from_slice(patch).map_err(internal)?;
    merge(&mut metadata, patch.clone());
    let json = serde_json::to_vec(&metadata).map_err(internal)?;
    let merged = Object::parse(&json).map_err(|error| broken(error.to_string()))?;

    let profile = OwnSettings::profile_in(&merged);
    let picked = rules.choices(profile, &rules.offered.subject_types, &|_| true).pick(&merged);
    let object = picked.over(merged);
    let mut from = Reader::new(&object, RFC7591).after(&picked);
    from.permit(rules.offered.redirects);
    let id = members.raw("client_id").map(|raw| serde_json::from_str::<String>(raw.get()).ok());
    if id.is_some_and(|id| id.as_deref() != Some(client.id().as_str())) {
        from.complain("client_id", "cannot be changed");
    }
    let _ = from.raw("client_id");
    for name in ["client_secret", "client_secret_expires_at"] {
        if from.raw(name).is_some() {
            from.complain(name, "is not changed here: replace the secret");
        }
    }
    let mut metadata = ClientMetadata::read(&mut from, rules.signing(), &rules.offered.subject_types, None);
    check_offered(&mut from, &mut metadata, rules);
    let mut body = client.body().clone();
    body.extra.extend(read_extra(&mut from, rules));
    let secret = match keeps_secret(client, &metadata, rules.now) {
        true => None,
        false => {
            body.secrets.clear();
            fitting_secret(&mut from, Given::default(), random, rules, &metadata)
        }
    };
    if rules.are_unused_members_refused {
        from.refuse_unknown();
        refuse_unknown_removals(&mut from, &patch, |name| body.extra.contains_key(name));
    }
    let (complaints, notices) = from.finish();
    if !complaints.is_empty() {
        return Err(complaints);
    }
    if client.is_enabled() && !metadata.own.enabled {
        body.registration = RegistrationId::from_bytes(bytes(random));
    }
    body.metadata = metadata;
    if let Some(secret) = &secret {
        secret.keep(&mut body, random, rules).map_err(|fault: Fault| broken(fault.to_string()))?;
    }
    let changed = Client::new(body).seen_at(client.revision());
    let secret_to_show = secret.map(|secret| secret.text);
    let registered = Registered { client: changed, secret_to_show, notices };
    Ok(Draft::change_of(client.metadata(), registered))
}

/// What `null` removes is not in the outcome, whatever its name is.
fn refuse_unknown_removals(from: &mut Reader<'_>, patch: &Value, is_extra: impl Fn(&str) -> bool) {
    for (prefix, members) in [("", Some(patch)), (OWN, patch.get("chancery"))] {
        for (name, _) in
            members.and_then(Value::as_object).into_iter().flatten().filter(|(_, to)| to.is_null())
        {
            // `client_name#de` (OIDC Registration section 2.1)
            let plain = name.split('#').next().unwrap_or_default();
            let is_known = ClientMember::all().any(|known| known.name.strip_prefix(prefix) == Some(plain));
            if !is_known && name != "chancery" && !is_extra(name) {
                from.refuse_name(prefix, name);
            }
        }
    }
}

/// What the names of the settings of our own begin with.
const OWN: &str = "chancery.";

/// RFC 7396 section 2
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Map::new().into();
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7396 appendix A
    #[test]
    fn patches_are_merged() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut result = target.clone();
            merge(&mut result, patch.clone());
            assert_eq!(result, merged, "{target} {patch}");
        }
    }
}
