//! RFC 8628 section 3.4: what a person's yes becomes if no browser carries it to the client.
//! Config     none; the lifetimes are in `[authorization_code]`
//! Discovery  none

use chancery_store::{Record, Tags};
use chancery_types::iana::GrantType;
use chancery_types::{Key, Kind, Timestamp};

use super::TokenIssuer;
use super::authorization_response::{Yes, granted};
use crate::context::{Call, Env};
use crate::error::Fault;
use crate::model::{Client, Entitlement, Granted};
use crate::records::{ApprovalBody, GrantBody};
use crate::request::Asked;

/// An approval, and the records that make it valid.
pub(crate) struct DraftedApproval {
    /// The grant and the approval below it, to be written in one step of the session's partition.
    pub(crate) records: Vec<Record>,
    /// The key of the approval.
    pub(crate) approval: Key,
    /// What it is exchanged for.
    pub(crate) granted: Granted,
}

impl TokenIssuer {
    /// Drafts the grant, and below it the approval, which is exchanged once. It is remembered like a code, so
    /// that its replay ends what came of it.
    ///
    /// # Errors
    /// As `Body::encode`.
    pub(crate) fn draft_approval(
        &self,
        (call, env): (&Call, &Env),
        (client, grant_type): (&Client, GrantType),
        asked: &Asked,
        yes: Yes<'_>,
        deadline: Timestamp,
    ) -> Result<DraftedApproval, Fault> {
        let session = yes.session;
        let (granted, code) = granted(call.now, client, asked, yes);
        // The name of the yes is secret and used for nothing else.
        let name = code.reveal();
        let approval = Key::derive(&env.realm, Kind::APPROVAL, session.partition(), name.as_bytes());
        let (what, life) = self.first_entitlement(client, asked, &granted, |target| {
            let nonce = asked.nonce.clone();
            Entitlement::of_approval(grant_type.clone(), granted.clone(), target, nonce, approval)
        });
        let forgotten = deadline + life.max(self.authorization_code.remembered);
        let may_refresh = self.policy.refresh(&what, client);
        let end = if may_refresh { call.now + self.authorization_code.grant } else { forgotten };
        let parent = self.policy.session_bound(&what, client).then_some(session);
        let (records, key) = (env.records(), granted.grant.key(&env.realm));
        let tags = records.tags(Some(granted.account()), None, None);
        let grant = records.new(key, parent, tags, end, &GrantBody { granted: granted.clone() })?;
        let once = records.new(approval, Some(key), Tags::default(), forgotten, &ApprovalBody {})?;
        Ok(DraftedApproval { records: vec![grant, once], approval, granted })
    }
}
