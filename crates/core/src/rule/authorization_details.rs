//! RFC 9396, OAuth 2.0 Rich Authorization Requests: sections 2, 3, 5 to 7 and 9.
//! Config     `[authorization_details]`; an application's own types; a client's `authorization_details_types`
//! Discovery  authorization_details_types_supported

use std::sync::Arc;

use chancery_jose::{ClaimsWriter, json};
use chancery_types::Timestamp;
use chancery_types::iana::{ErrorCode, ResponseType};
use serde_json::Value;

use crate::error::{Complaint, Fault, Reason, Refusal};
use crate::model::{Account, AuthorizationDetail, Client, ResourceServer};
use crate::offered::Component;
use crate::policy::{COMMON_ARRAYS, DetailFault, DetailView, DynDetailType};

/// The parameter, the member of token responses and introspection answers, and the claim.
pub(crate) const AUTHORIZATION_DETAILS: &str = "authorization_details";

/// Longest `authorization_details`, in bytes of JSON. A form carries it twice encoded, and a person reads all of it.
const LONGEST: usize = 8 * 1024;

/// Longest name of a type. It stands in the metadata and on pages; identifiers of resource servers are no longer.
const LONGEST_NAME: usize = 512;

/// The most objects in one request.
const MOST: usize = 20;

const fn invalid(name: &'static str, description: &'static str, section: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidAuthorizationDetails, description, section }
}

reasons! {
    /// `authorization_details` is not JSON, not an array of objects, nested too deeply, or has a member twice.
    pub DETAILS_MALFORMED =
        invalid("details_malformed", "authorization_details must be a JSON array of objects", "RFC 9396 section 2");
    /// `authorization_details` is longer than 8192 bytes, or has more than 20 objects.
    pub DETAILS_TOO_LONG =
        invalid("details_too_long", "authorization_details is too long", "RFC 9396 section 11.4");
    /// An object has no `type`, or it is not a string.
    pub DETAIL_TYPE_MISSING =
        invalid("detail_type_missing", "authorization details must have a type", "RFC 9396 section 2");
    /// An object is of a type that this provider does not know.
    pub DETAIL_TYPE_UNKNOWN =
        invalid("detail_type_unknown", "unknown authorization details type", "RFC 9396 section 5");
    /// An object is of a type that the client is not registered for (`authorization_details_types`).
    pub DETAIL_TYPE_NOT_ALLOWED = invalid(
        "detail_type_not_allowed",
        "authorization details type is not allowed for this client",
        "RFC 9396 section 10",
    );
    /// An object has a member that its type does not know.
    pub DETAIL_MEMBER_UNKNOWN =
        invalid("detail_member_unknown", "authorization details have an unknown field", "RFC 9396 section 5");
    /// A member of an object is of the wrong JSON type.
    pub DETAIL_MEMBER_TYPE =
        invalid("detail_member_type", "authorization details have a field of the wrong type", "RFC 9396 section 5");
    /// A member of an object has a value that its type does not allow.
    pub DETAIL_MEMBER_VALUE =
        invalid("detail_member_value", "authorization details have a field with an invalid value", "RFC 9396 section 5");
    /// An object lacks a member that its type requires.
    pub DETAIL_MEMBER_MISSING =
        invalid("detail_member_missing", "authorization details are missing a required field", "RFC 9396 section 5");
    /// The token request asks for authorization details that were not granted, or that no resource server of the token
    /// would be shown.
    pub DETAILS_EXCEED_GRANT = invalid(
        "details_exceed_grant",
        "authorization_details were not granted",
        "RFC 9396 section 6",
    );
    /// A client asks for authorization details in its own name, about which no person is asked.
    pub DETAILS_WITHOUT_PERSON = invalid(
        "details_without_person",
        "authorization_details are not supported for this grant_type",
        "RFC 9396 section 6",
    );
    /// The response type gives no code, so that there is no token response that could tell what was granted, or it gives
    /// an access token through the browser.
    pub DETAILS_WITHOUT_CODE = Reason {
        name: "details_without_code",
        code: ErrorCode::InvalidRequest,
        description: "authorization_details are not supported for this response_type",
        section: "RFC 9396 section 7",
    };
    /// All that was granted are authorization details of types that this provider no longer has, or that the client may
    /// no longer ask for.
    pub DETAILS_WITHDRAWN = Reason {
        name: "gate_details_withdrawn",
        code: ErrorCode::InvalidGrant,
        description: "grant request is invalid",
        section: "RFC 6749 section 5.2",
    };
}

/// The types of authorization details that there are. Without any, the parameter means nothing.
#[derive(Clone, Default)]
pub struct DetailTypes(Vec<Arc<dyn DynDetailType>>);

impl DetailTypes {
    /// Adds a type.
    pub(crate) fn add(&mut self, detail_type: Arc<dyn DynDetailType>) {
        self.0.push(detail_type);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|known| known.name())
    }

    /// What is wrong with their names, and with those that the configuration announces.
    pub(crate) fn complaints(&self, announced: &[String]) -> Vec<Complaint> {
        let is_plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        let wrong =
            self.names().filter_map(|name| match self.names().filter(|other| *other == name).count() {
                _ if name.len() > LONGEST_NAME => {
                    let begin: String = name.chars().take(40).collect();
                    Some(format!("{begin:?}… must have at most {LONGEST_NAME} characters"))
                }
                1 if is_plain(name) => None,
                1 => Some(format!("{name:?} must be printable ASCII without spaces")),
                _ => Some(format!("there must be one type {name:?}")),
            });
        let unknown = announced.iter().filter(|name| self.named(name).is_none());
        let unknown = unknown.map(|name| format!("nothing knows what {name:?} means"));
        let complaint = |rule| Complaint::new(AUTHORIZATION_DETAILS, rule, "RFC 9396 section 2.1");
        wrong.chain(unknown).map(complaint).collect()
    }

    fn named(&self, name: &str) -> Option<&Arc<dyn DynDetailType>> {
        self.0.iter().find(|known| known.name() == name)
    }

    /// Whether the parameter is short enough to be looked at.
    ///
    /// # Errors
    /// [`DETAILS_TOO_LONG`].
    pub(crate) fn is_short(&self, text: Option<&str>) -> Result<(), Refusal> {
        match text {
            Some(text) if text.len() > LONGEST && !self.is_empty() => DETAILS_TOO_LONG.refused(),
            _ => Ok(()),
        }
    }

    /// What a request asks for. Nothing if there is no type at all, and then the parameter is ignored like any other
    /// that is unknown (RFC 6749 section 3.1), or if the array is empty.
    ///
    /// # Errors
    /// A refusal with `invalid_authorization_details`.
    pub(crate) fn asked(
        &self,
        text: Option<&str>,
        client: &Client,
    ) -> Result<Vec<AuthorizationDetail>, Refusal> {
        let details = self.read(text, client)?;
        details.iter().try_for_each(|detail| self.check(detail, client))?;
        Ok(details)
    }

    /// The same for a response type, whose answer has to lead to a token response.
    ///
    /// # Errors
    /// As [`DetailTypes::asked`]; [`DETAILS_WITHOUT_CODE`].
    pub(crate) fn asked_for(
        &self,
        response_type: ResponseType,
        text: Option<&str>,
        client: &Client,
    ) -> Result<Vec<AuthorizationDetail>, Refusal> {
        let details = self.asked(text, client)?;
        let has_place = response_type.has_code() && !response_type.has_token();
        if has_place || details.is_empty() { Ok(details) } else { DETAILS_WITHOUT_CODE.refused() }
    }

    /// Reads an array of objects, each of a type that the client may ask for. Size and depth are known before anything
    /// is built.
    pub(crate) fn read(
        &self,
        text: Option<&str>,
        client: &Client,
    ) -> Result<Vec<AuthorizationDetail>, Refusal> {
        let Some(text) = text.filter(|_| !self.is_empty()) else { return Ok(Vec::new()) };
        self.is_short(Some(text))?;
        json::check(text.as_bytes()).map_err(|_| &DETAILS_MALFORMED)?;
        let objects: Vec<Value> = serde_json::from_str(text).map_err(|_| &DETAILS_MALFORMED)?;
        if objects.len() > MOST {
            return DETAILS_TOO_LONG.refused();
        }
        objects.into_iter().map(|object| self.one(object, client)).collect()
    }

    fn one(&self, object: Value, client: &Client) -> Result<AuthorizationDetail, Refusal> {
        let Value::Object(members) = object else { return DETAILS_MALFORMED.refused() };
        let detail = AuthorizationDetail::try_from(members).map_err(|_| &DETAIL_TYPE_MISSING)?;
        if self.named(detail.type_name()).is_none() {
            return DETAIL_TYPE_UNKNOWN.refused();
        }
        if !client.may_ask_for(detail.type_name()) {
            return DETAIL_TYPE_NOT_ALLOWED.refused();
        }
        common_members(&detail)?;
        Ok(detail)
    }

    /// Whether a detail conforms to its type.
    fn check(&self, detail: &AuthorizationDetail, client: &Client) -> Result<(), Refusal> {
        let known = self.named(detail.type_name()).ok_or(&DETAIL_TYPE_UNKNOWN)?;
        known.check(detail, client).map_err(|fault| {
            let reason = match fault {
                DetailFault::MemberUnknown => &DETAIL_MEMBER_UNKNOWN,
                DetailFault::MemberType => &DETAIL_MEMBER_TYPE,
                DetailFault::MemberValue => &DETAIL_MEMBER_VALUE,
                DetailFault::MemberMissing => &DETAIL_MEMBER_MISSING,
            };
            reason.into()
        })
    }

    /// What a request asks this person for, with what the provider adds (section 7.1): so it is shown, and so it is
    /// granted.
    ///
    /// # Errors
    /// A fault of a type, also if it adds what it would refuse.
    pub(crate) async fn enriched(
        &self,
        asked: &[AuthorizationDetail],
        (client, account): (&Client, &Account),
    ) -> Result<Vec<AuthorizationDetail>, Fault> {
        let mut enriched = Vec::with_capacity(asked.len());
        for detail in asked {
            let name = detail.type_name();
            let unfit = || Fault::internal(format!("the type {name} makes details that it would refuse"));
            let known = self.named(name).ok_or_else(unfit)?;
            let detail = known.enriched(detail, client, account).await?;
            if detail.type_name() != name || self.check(&detail, client).is_err() {
                return Err(unfit());
            }
            enriched.push(detail);
        }
        Ok(enriched)
    }

    /// Of these details that were granted, those that the client may still use: their type is there, and it may ask for
    /// it.
    pub(crate) fn standing<'d>(
        &'d self,
        granted: &'d [AuthorizationDetail],
        client: &'d Client,
    ) -> impl Iterator<Item = &'d AuthorizationDetail> {
        let stands = |name: &str| self.named(name).is_some() && client.may_ask_for(name);
        granted.iter().filter(move |detail| stands(detail.type_name()))
    }

    /// Whether details were granted, and the client may use none of them any more.
    pub(crate) fn are_gone(&self, granted: &[AuthorizationDetail], client: &Client) -> bool {
        !granted.is_empty() && self.standing(granted, client).next().is_none()
    }

    /// The details of one access token (section 6): all that were granted, or what the token request asks for, as far as
    /// its resource server is shown them.
    ///
    /// # Errors
    /// [`DETAILS_EXCEED_GRANT`].
    pub(crate) fn of_token(
        &self,
        granted: &[AuthorizationDetail],
        asked: &[AuthorizationDetail],
        client: &Client,
        server: Option<&ResourceServer>,
    ) -> Result<Vec<AuthorizationDetail>, Refusal> {
        if asked.is_empty() {
            return Ok(self.told(granted, client, server));
        }
        let standing: Vec<_> = self.standing(granted, client).collect();
        let mut narrowed = Vec::with_capacity(asked.len());
        for wanted in asked {
            let less = |granted: &&AuthorizationDetail| {
                let less = self.named(wanted.type_name())?.narrow(granted, wanted)?;
                self.check(&less, client).ok()?;
                self.shown(&less, server)
            };
            let shown = standing.iter().find_map(less).ok_or(&DETAILS_EXCEED_GRANT)?;
            if !narrowed.contains(&shown) {
                narrowed.push(shown);
            }
        }
        Ok(narrowed)
    }

    /// What somebody is told of the details of a token: a resource server those that are its business, anybody else all
    /// of them.
    #[must_use]
    pub(crate) fn told(
        &self,
        details: &[AuthorizationDetail],
        owner: &Client,
        server: Option<&ResourceServer>,
    ) -> Vec<AuthorizationDetail> {
        self.standing(details, owner).filter_map(|detail| self.shown(detail, server)).collect()
    }

    /// What a resource server is shown of a detail; without one, all of it.
    fn shown(
        &self,
        detail: &AuthorizationDetail,
        server: Option<&ResourceServer>,
    ) -> Option<AuthorizationDetail> {
        match server {
            Some(server) => self.named(detail.type_name())?.shown(detail, server),
            None => Some(detail.clone()),
        }
    }

    /// What a consent page asks about.
    pub(crate) fn views(&self, details: &[AuthorizationDetail]) -> Vec<DetailView> {
        let view = |detail: &AuthorizationDetail| {
            Some(DetailView::new(detail.clone(), Arc::clone(self.named(detail.type_name())?)))
        };
        details.iter().filter_map(view).collect()
    }
}

/// The members that have the same kind whatever the type (section 2.2).
fn common_members(detail: &AuthorizationDetail) -> Result<(), Refusal> {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    for name in COMMON_ARRAYS {
        let is_good = detail
            .get(name)
            .is_none_or(|value| value.as_array().is_some_and(|values| values.iter().all(is_text)));
        if !is_good {
            return DETAIL_MEMBER_TYPE.refused();
        }
    }
    if detail.get("identifier").is_none_or(is_text) { Ok(()) } else { DETAIL_MEMBER_TYPE.refused() }
}

/// The array as a member of an answer or a token; nothing if it is empty.
pub(crate) fn write(details: &[AuthorizationDetail], to: &mut ClaimsWriter) {
    if details.is_empty() {
        return;
    }
    if let Ok(json) = serde_json::value::to_raw_value(details) {
        to.raw(AUTHORIZATION_DETAILS, &json);
    }
}

impl Component for DetailTypes {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        if !self.is_empty() {
            metadata.strings("authorization_details_types_supported", self.names());
        }
    }
}
