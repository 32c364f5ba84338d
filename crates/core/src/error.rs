//! The two kinds of failure: a [`Refusal`], which the peer may see, and a [`Fault`], which only our own log
//! may see.
//!
//! A fault cannot be converted into a refusal, so internal details cannot reach a client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chancery_store::StoreError;
use chancery_types::Malformed;
pub use chancery_types::debug_as_display;
use chancery_types::iana::ErrorCode;

/// Why something is refused: a constant of the module that refuses it.
///
/// It holds no data, so nothing of the request can be reflected. Reasons that a peer must not be able to
/// distinguish share `code` and `description`; tests and logs distinguish them by `name`.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// The name in logs and tests, in lower case with `_`.
    pub name: &'static str,
    /// The `error` code that is sent.
    pub code: ErrorCode,
    /// `error_description`: printable ASCII without quotes and backslashes (RFC 6749 section 5.2). May be
    /// empty.
    pub description: &'static str,
    /// The section that requires it.
    pub section: &'static str,
}

/// Defines the reasons of a module, each with its meaning, and lists them in `REASONS`, from which the
/// operators' catalogue is made.
#[macro_export]
macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $visibility:vis $name:ident = $reason:expr;)+) => {
        $($(#[doc = $meaning])+ $visibility const $name: $crate::error::Reason = $reason;)+

        /// The reasons of this module.
        pub(crate) const REASONS: &[$crate::error::Described] =
            &[$($crate::error::Described { reason: &$name, meaning: concat!($($meaning),+) }),+];
    };
}

/// A reason and its meaning, as the catalogue shows them.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The reason.
    pub reason: &'static Reason,
    /// One or two sentences for an operator.
    pub meaning: &'static str,
}

impl Reason {
    /// Refuses for this reason.
    ///
    /// # Errors
    /// Always.
    pub fn refused<T, E: From<&'static Self>>(&'static self) -> Result<T, E> {
        Err(E::from(self))
    }

    /// A refusal for this reason, and for no longer than this.
    #[must_use]
    pub(crate) fn for_now(&'static self, wait: Duration) -> Refusal {
        Refusal { reason: self, remedy: Some(Remedy::RetryAfter(wait)) }
    }

    /// A refusal for this reason that names what is offered instead, which is metadata that anybody can read.
    pub(crate) fn unlike<'a>(&'static self, offered: impl Iterator<Item = &'a str>) -> Refusal {
        Refusal { reason: self, remedy: Some(Remedy::Offered(sendable(offered))) }
    }

    /// A refusal for this reason that names what the client has registered instead, which nobody else may be told.
    pub(crate) fn unlike_registered<'a>(&'static self, registered: impl Iterator<Item = &'a str>) -> Refusal {
        Refusal { reason: self, remedy: Some(Remedy::Registered(sendable(registered))) }
    }

    /// `error_description`, with what the peer can ask for instead if that is the remedy.
    #[must_use]
    pub fn told(&self, remedy: Option<&Remedy>) -> Cow<'static, str> {
        let description = self.description;
        match remedy {
            Some(Remedy::Offered(names)) => format!("{description}; supported: {names}").into(),
            Some(Remedy::Registered(names)) if names.is_empty() => {
                format!("{description}; nothing else is registered").into()
            }
            Some(Remedy::Registered(names)) => format!("{description}; registered: {names}").into(),
            Some(Remedy::Scope(_) | Remedy::Authentication { .. } | Remedy::RetryAfter(_)) | None => {
                description.into()
            }
        }
    }
}

/// These names with commas between, without any that `error_description` cannot have (RFC 6749 section 5.2): an application
/// names its own grant types.
fn sendable<'a>(names: impl Iterator<Item = &'a str>) -> Box<str> {
    let is_sendable = |byte: u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
    let names: Vec<&str> = names.filter(|name| name.bytes().all(is_sendable)).collect();
    names.join(", ").into()
}

/// What a refused peer can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Ask for these scopes (RFC 6750 section 3.1).
    Scope(Cow<'static, str>),
    /// Have the person authenticate again (RFC 9470 section 3).
    Authentication {
        /// In one of these ways, the best first, with blanks between them.
        acr_values: Option<Box<str>>,
        /// No longer ago than this.
        max_age: Option<Duration>,
    },
    /// Retry after this time.
    RetryAfter(Duration),
    /// Ask for one of these, which are offered here (RFC 8414 section 2).
    Offered(Box<str>),
    /// Ask for one of these, which the client has registered (RFC 7591 section 2).
    Registered(Box<str>),
}

/// A refusal that is sent to the peer.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The exact reason.
    pub reason: &'static Reason,
    /// What the peer can do about it.
    pub remedy: Option<Remedy>,
}

impl Refusal {
    /// `error_description`; may be empty.
    #[must_use]
    pub fn description(&self) -> Cow<'static, str> {
        self.reason.told(self.remedy.as_ref())
    }
}

impl From<&'static Reason> for Refusal {
    fn from(reason: &'static Reason) -> Self {
        Self { reason, remedy: None }
    }
}

/// The code that the peer is sent, why, and the name by which the log knows it.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reason { name, code, description, section } = self.reason;
        let between = if description.is_empty() { "" } else { ": " };
        write!(f, "{}{between}{description} ({name}, {section})", code.as_str())
    }
}

impl Error for Refusal {}

/// Something is broken or overloaded on our side. Its text is for our own log.
#[derive(Clone)]
pub struct Fault {
    kind: FaultKind,
    message: String,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// Two faults are equal if they have the same text.
impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.to_string() == other.to_string()
    }
}

impl Eq for Fault {}

/// Whether a retry may help the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Something that we depend on does not answer or has no capacity: 503.
    Unavailable,
    /// A bug or a damaged record: 500.
    Internal,
}

impl FaultKind {
    /// All that a peer learns about it (RFC 6749 section 4.1.2.1).
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Unavailable => ErrorCode::TemporarilyUnavailable,
            Self::Internal => ErrorCode::ServerError,
        }
    }
}

impl Fault {
    /// Something that we depend on does not answer or has no capacity.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Unavailable, message: message.into(), cause: None }
    }

    /// A bug or a damaged record.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Internal, message: message.into(), cause: None }
    }

    /// Adds the error that caused it.
    ///
    /// ```
    /// # use chancery_core::error::Fault;
    /// let fault = Fault::unavailable("the key service").because("no route to host");
    /// assert_eq!(fault.to_string(), "the key service: no route to host");
    /// ```
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(Arc::from(cause.into())), ..self }
    }

    /// Whether a retry may help.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// The error that caused it, if there is one.
    #[must_use]
    pub fn cause(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.cause.as_deref()
    }
}

/// What broke, and why if that is known. For our own log, never for a peer.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl Error for Fault {
    /// The source of the cause; `Display` has already printed the cause itself.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().and_then(|cause| cause.source())
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::unavailable("the store is busy"),
            StoreError::Backend(cause) => Self::unavailable("the store failed").because(cause),
            // A key that is taken unexpectedly is a bug, as is a step that no store accepts.
            mistake => Self::internal("the store").because(mistake),
        }
    }
}

/// How a request failed.
#[derive(Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request was refused, and the peer may know why.
    Refused(Refusal),
    /// Something broke here, and only our log may know what.
    Broken(Fault),
}

/// For our own log, never for a peer.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Broken(fault) => fault.fmt(f),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Broken(fault) => fault.source(),
        }
    }
}

impl From<&'static Reason> for Failure {
    fn from(reason: &'static Reason) -> Self {
        Self::Refused(reason.into())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

/// What is wrong with a configuration or a client's registration.
#[derive(Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The setting or metadata member.
    pub setting: String,
    /// What is required, and what to do about it.
    pub rule: String,
    /// The section that requires it.
    pub section: &'static str,
}

impl Complaint {
    /// A complaint about one setting.
    #[must_use]
    pub fn new(setting: impl Into<String>, rule: impl Into<String>, section: &'static str) -> Self {
        Self { setting: setting.into(), rule: rule.into(), section }
    }
}

/// Everything that is wrong with a configuration, a registration, or whatever else is judged as a whole. Printed in either
/// way it is a sentence for each, so that a program can return it from `main`.
///
/// ```
/// # mod chancery { pub use chancery_core::documents::MemoryRegistry; pub use chancery_core::model::Client; }
/// use chancery::{Client, MemoryRegistry};
///
/// let shop = Client::web("shop").secret("too short").redirect("http://shop.example/callback");
/// let wrong = MemoryRegistry::new().put(&shop).unwrap_err();
/// assert_eq!(wrong.len(), 2);
/// assert!(wrong.to_string().starts_with(r#"client "shop": redirect_uris: "http://shop.example/callback" must be https"#));
/// assert_eq!(format!("{wrong:?}"), wrong.to_string());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Complaints {
    all: Vec<Complaint>,
    /// Whom all of them are about, if there are several whom they could be about.
    about: Option<String>,
}

impl Complaints {
    /// Says in front of each sentence whom it is about, such as one client of several.
    pub(crate) fn about(self, whom: String) -> Self {
        Self { about: Some(whom), ..self }
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, complaint) in self.all.iter().enumerate() {
            let between = if at == 0 { "" } else { "\n" };
            f.write_str(between)?;
            if let Some(whom) = &self.about {
                write!(f, "{whom}: ")?;
            }
            write!(f, "{complaint}")?;
        }
        Ok(())
    }
}

impl Error for Complaints {}

impl Error for Complaint {}

debug_as_display!(Refusal, Fault, Failure, Complaint, Complaints);

impl Deref for Complaints {
    type Target = [Complaint];

    fn deref(&self) -> &[Complaint] {
        &self.all
    }
}

impl IntoIterator for Complaints {
    type Item = Complaint;
    type IntoIter = std::vec::IntoIter<Complaint>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<'a> IntoIterator for &'a Complaints {
    type Item = &'a Complaint;
    type IntoIter = std::slice::Iter<'a, Complaint>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl From<Vec<Complaint>> for Complaints {
    fn from(complaints: Vec<Complaint>) -> Self {
        Self { all: complaints, about: None }
    }
}

impl From<Complaints> for Vec<Complaint> {
    fn from(complaints: Complaints) -> Self {
        complaints.all
    }
}

/// The names with commas between, and `or` before the last.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// Checks one section of the configuration against its rules.
pub(crate) struct SectionCheck {
    section: &'static str,
    complaints: Vec<Complaint>,
}

impl SectionCheck {
    /// Of the section of this name.
    pub(crate) fn of(section: &'static str) -> Self {
        Self { section, complaints: Vec::new() }
    }

    /// Complains about a setting of the section unless its rule is met.
    pub(crate) fn demand(
        mut self,
        is_met: bool,
        setting: &str,
        rule: &str,
        demanded_by: &'static str,
    ) -> Self {
        if !is_met {
            self.complaints.push(Complaint::new(format!("{}.{setting}", self.section), rule, demanded_by));
        }
        self
    }

    /// Complains about lifetimes and waits below one second, because the protocol states times in whole
    /// seconds.
    pub(crate) fn lifetimes(self, lifetimes: &[(&str, Duration)]) -> Self {
        let demand = |check: Self, (setting, lifetime): &(&str, Duration)| {
            check.demand(
                *lifetime >= Duration::from_secs(1),
                setting,
                "must be at least 1s",
                "RFC 6749 section 5.1",
            )
        };
        lifetimes.iter().fold(self, demand)
    }

    /// Everything that is wrong.
    pub(crate) fn complaints(self) -> Vec<Complaint> {
        self.complaints
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.setting, self.rule, self.section)
    }
}

reasons! {
    /// A parameter was sent twice or cannot be decoded.
    pub MALFORMED_PARAMETER = Reason {
        name: "malformed_parameter",
        code: ErrorCode::InvalidRequest,
        description: "a parameter is malformed or was sent more than once",
        section: "RFC 6749 section 3.1",
    };
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        (&MALFORMED_PARAMETER).into()
    }
}
impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        (&MALFORMED_PARAMETER).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6749 section 5.2: what cannot stand in a description is left out, whoever has chosen the name.
    #[test]
    fn a_description_has_only_what_may_stand_there() {
        let names = ["code id_token", "urn:example:a", "a\"b", "a\\b", "a\u{e4}", "a\nb", "none"];
        let reason = &MALFORMED_PARAMETER;
        let told = reason.unlike(names.into_iter()).description().into_owned();
        assert_eq!(told, format!("{}; supported: code id_token, urn:example:a, none", reason.description));
        let told = reason.unlike_registered([].into_iter()).description().into_owned();
        assert_eq!(told, format!("{}; nothing else is registered", reason.description));
        assert_eq!(Refusal::from(reason).description(), reason.description);
    }
}
