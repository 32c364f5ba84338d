//! The one answer of an interaction, and the same answer once more for a step that is repeated.

use std::time::Duration;

use chancery_jose::hmac_sha256;
use chancery_store::{StoreError, Tags};
use chancery_types::Key;
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::iana::GrantType;
use zeroize::Zeroizing;

use super::page::lost;
use super::pending::Pending;
use super::{Decided, Interactions, KEPT, Outcome, pushed};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault};
use crate::event::Event;
use crate::model::GrantId;
use crate::records::{
    AnswerBody, Answered, AuthorizationCodeBody, Found, GrantBody, InteractionId, answer_key,
};

/// What the client was told is told again for so long to the browser that repeats its step: a double click
/// shows the answer to the last one.
const REPEATED: Duration = Duration::from_secs(10);

/// What answers an interaction in a session is named so: the same, however often its step is repeated.
pub(super) struct Names {
    pub(super) grant: GrantId,
    pub(super) code: Handle<AuthorizationCode>,
}

/// Where the repetition of an answered step leads.
pub(super) enum Repeated {
    /// Where the answer led.
    Leads(Decided),
    /// The client has exchanged the code already.
    Used,
    /// The answer is too long ago, or its code or grant is dead.
    Over,
}

impl Names {
    /// For a request that no page was shown for, which is answered each time.
    pub(super) fn new(env: &Env, session: Key) -> Self {
        let partition = session.partition();
        Self {
            grant: GrantId::new(partition, *env.secret::<16>()),
            code: Handle::new(partition, env.secret()),
        }
    }
}

/// The names of grant and code that answer an interaction in this session.
pub(super) fn names(
    by: &Interactions,
    interaction: InteractionId,
    session: Key,
    version: u32,
) -> Result<Names, Fault> {
    let derived = by.keys().derived(version);
    let derived =
        derived.ok_or_else(|| Fault::unavailable(format!("root secret {version} is not known here")))?;
    let of = |what: &[u8]| {
        let input = [what, interaction.as_bytes(), session.as_bytes()].concat();
        Zeroizing::new(hmac_sha256(&*derived.interaction_code, &input))
    };
    let mut id = [0; 16];
    id.copy_from_slice(of(b"grant").split_at(16).0);
    let partition = session.partition();
    Ok(Names { grant: GrantId::new(partition, id), code: Handle::new(partition, of(b"")) })
}

/// Makes this the answer of the interaction: `None` when it is, else what the first answer leads to. A
/// request that no page was shown for has no interaction, and is answered each time, unless it was pushed: then it is
/// used up here, before anything is sent. A refusal leaves it as it is, since nothing was given for it: otherwise
/// whoever sees the link could use it up by a request without a person.
pub(super) async fn claim(pending: &Pending<'_>, answer: Answered) -> Result<Option<Decided>, Fault> {
    let is_refusal = matches!(answer, Answered::Error { .. });
    if pending.is_answered_elsewhere() || (!is_refusal && !pushed::use_up(pending).await?) {
        return Ok(Some(lost(pending, true)?));
    }
    let Some(interaction) = pending.interaction else { return Ok(None) };
    let first = claimed(&pending.by, pending.call, pending.env, interaction, answer.clone()).await?;
    let Some(first) = first.filter(|first| first.answer != answer) else { return Ok(None) };
    match repeated(pending, interaction, &first).await? {
        Repeated::Leads(next) => Ok(Some(next)),
        Repeated::Used | Repeated::Over => Ok(Some(lost(pending, true)?)),
    }
}

/// Writes the answer, or finds the one that was first.
pub(super) async fn claimed(
    by: &Interactions,
    call: &Call,
    env: &Env,
    interaction: InteractionId,
    answer: Answered,
) -> Result<Option<AnswerBody>, Fault> {
    let (records, key) = (env.records(), answer_key(&env.realm, interaction));
    // As long as a page of the interaction can come back.
    let ends = call.now + by.config.lifetime + KEPT;
    let record = records.new(key, None, Tags::default(), ends, &AnswerBody { at: call.now, answer })?;
    match records.insert(call.now, &[record]).await {
        Ok(()) => Ok(None),
        Err(StoreError::Occupied) => first_answer(call, env, interaction).await,
        Err(error) => Err(error.into()),
    }
}

/// How the interaction was answered, if it was.
pub(super) async fn first_answer(
    call: &Call,
    env: &Env,
    interaction: InteractionId,
) -> Result<Option<AnswerBody>, Fault> {
    let found: Option<Found<AnswerBody>> =
        env.records().get(call.now, answer_key(&env.realm, interaction)).await?;
    Ok(found.map(|found| found.body))
}

/// What the client was told, once more.
pub(super) async fn repeated(
    pending: &Pending<'_>,
    interaction: InteractionId,
    first: &AnswerBody,
) -> Result<Repeated, Fault> {
    let call = pending.call;
    if call.now.distance(first.at) > REPEATED {
        return Ok(Repeated::Over);
    }
    match &first.answer {
        Answered::Error { code, description } => {
            Ok(Repeated::Leads(respond(pending, error_parameters(code, description))?))
        }
        Answered::Nothing => Ok(Repeated::Leads(respond(pending, Vec::new())?)),
        Answered::Granted { session, key_version } => {
            given_again(pending, names(&pending.by, interaction, *session, *key_version)?).await
        }
    }
}

/// The same code, and new tokens below the same grant.
pub(super) async fn given_again(pending: &Pending<'_>, names: Names) -> Result<Repeated, Fault> {
    let (call, env, asked) = (pending.call, pending.env, &pending.asked);
    let (records, realm, now) = (env.records(), &env.realm, call.now);
    let (granted, code) = if asked.response_type.has_code() {
        match records.get::<AuthorizationCodeBody>(now, names.code.key(realm)).await? {
            None => return Ok(Repeated::Over),
            Some(found) if found.consumed_at.is_some() => return Ok(Repeated::Used),
            Some(found) => (found.body.granted, Some(names.code.reveal())),
        }
    } else {
        match records.get::<GrantBody>(now, names.grant.key(realm)).await? {
            None => return Ok(Repeated::Over),
            Some(found) => (found.body.granted, None),
        }
    };
    let issuer = &pending.by.issuer;
    let addressed = pending.addressed()?;
    let beside = (code.as_deref(), addressed.state.as_deref());
    let front = issuer.front_channel(call, env, &pending.client, (asked, &granted), beside).await;
    let front = match front {
        Ok(front) => front,
        Err(Failure::Refused(_)) => return Ok(Repeated::Over),
        Err(Failure::Broken(fault)) => return Err(fault),
    };
    if !front.records.is_empty() {
        records.insert(now, &front.records).await?;
    }
    let code = code.map(|code| ("code", code));
    Ok(Repeated::Leads(issued(pending, code.into_iter().chain(front.parameters).collect())?))
}

fn error_parameters(code: &str, description: &str) -> Vec<(&'static str, String)> {
    let description = Some(description).filter(|text| !text.is_empty());
    let description = description.map(|text| ("error_description", text.to_owned()));
    std::iter::once(("error", code.to_owned())).chain(description).collect()
}

/// The response to the client, with its tokens on record.
pub(super) fn issued(
    pending: &Pending<'_>,
    parameters: Vec<(&'static str, String)>,
) -> Result<Decided, Fault> {
    if pending.asked.response_type.is_front_channel() {
        let event = Event::TokensIssued {
            client: pending.client.id().clone(),
            grant_type: GrantType::Implicit,
            account: pending.agreed.account.as_ref().map(|account| account.id.clone()),
        };
        pending.env.record(pending.call, &event);
    }
    respond(pending, parameters)
}

pub(super) fn respond(
    pending: &Pending<'_>,
    parameters: Vec<(&'static str, String)>,
) -> Result<Decided, Fault> {
    Ok(Outcome::Respond(pending.addressed()?.respond(pending.env, parameters)).into())
}
