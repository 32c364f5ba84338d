//! OpenID Connect CIBA Core 1.0 sections 7.1 and 7.1.2: whom a hint of the client means, and whether the client knows
//! that person's code.
//! Config     none
//! Discovery  none

use chancery_types::AccountId;
use chancery_types::iana::{ErrorCode, SubjectType};

use crate::context::Env;
use crate::error::{Failure, Reason};
use crate::model::{Account, Client, Hint};
use crate::past_login::PastLogin;
use crate::ports::{HintedSubject, LoginHintToken, UserCodeCheck, UserCodeQuery};
use crate::request::Rules;

reasons! {
    /// The hint means nobody who is known here, or somebody who may not use this server.
    pub PERSON_UNKNOWN = Reason {
        name: "backchannel_person_unknown",
        code: ErrorCode::UnknownUserId,
        description: "could not identify end-user",
        section: "CIBA Core section 13",
    };
    /// The request has a `login_hint_token`, and the application understands none.
    pub LOGIN_HINT_TOKEN_UNSUPPORTED = Reason {
        name: "login_hint_token_unsupported",
        code: ErrorCode::InvalidRequest,
        description: "login_hint_token is not supported",
        section: "CIBA Core section 7.2",
    };
    /// The `login_hint_token` has expired.
    pub LOGIN_HINT_TOKEN_EXPIRED = Reason {
        name: "login_hint_token_expired",
        code: ErrorCode::ExpiredLoginHintToken,
        description: "the login_hint_token has expired",
        section: "CIBA Core section 13",
    };
    /// The `login_hint_token` is not valid.
    pub LOGIN_HINT_TOKEN_INVALID = Reason {
        name: "login_hint_token_invalid",
        code: ErrorCode::InvalidRequest,
        description: "the login_hint_token is invalid",
        section: "CIBA Core section 13",
    };
    /// The `id_token_hint` is not an ID token that this server has issued to the client.
    pub ID_TOKEN_HINT_FOREIGN = Reason {
        name: "backchannel_id_token_hint_foreign",
        code: ErrorCode::InvalidRequest,
        description: "could not validate id_token_hint",
        section: "CIBA Core section 7.1",
    };
    /// The person has a user code, and the request has none.
    pub USER_CODE_MISSING = Reason {
        name: "backchannel_user_code_missing",
        code: ErrorCode::MissingUserCode,
        description: "the user_code of the End-User is required",
        section: "CIBA Core section 13",
    };
    /// The user code is not the person's.
    pub USER_CODE_WRONG = Reason {
        name: "backchannel_user_code_wrong",
        code: ErrorCode::InvalidUserCode,
        description: "the user_code is wrong",
        section: "CIBA Core section 13",
    };
}

/// Whom the client says its request is for.
#[derive(Clone, Copy)]
pub(super) enum ClientHint<'p> {
    /// `login_hint`
    Login(&'p str),
    /// `login_hint_token`
    LoginToken(&'p str),
    /// `id_token_hint`
    IdToken(&'p str),
}

/// The person whom the hint means.
pub(super) async fn person(
    env: &Env,
    client: &Client,
    rules: &Rules,
    hint: &ClientHint<'_>,
) -> Result<Account, Failure> {
    let id = match *hint {
        ClientHint::Login(text) => env.accounts.hint(&env.realm, Hint::Login(text.into())).await?,
        ClientHint::LoginToken(token) => {
            match env.accounts.login_hint_token(&env.realm, client, token).await? {
                LoginHintToken::Means(id) => Some(id),
                LoginHintToken::Nobody => None,
                LoginHintToken::Unsupported => return LOGIN_HINT_TOKEN_UNSUPPORTED.refused(),
                LoginHintToken::Expired => return LOGIN_HINT_TOKEN_EXPIRED.refused(),
                LoginHintToken::Invalid => return LOGIN_HINT_TOKEN_INVALID.refused(),
            }
        }
        ClientHint::IdToken(token) => {
            let login =
                PastLogin::read(token, client, &rules.keys, &rules.issuer).ok_or(&ID_TOKEN_HINT_FOREIGN)?;
            of_subject(env, client, &login.subject).await?
        }
    };
    let account = match id {
        Some(id) => env.account(&id).await?,
        None => None,
    };
    Ok(account.filter(|account| account.active).ok_or(&PERSON_UNKNOWN)?)
}

/// Whose subject it is at this client. A pairwise one cannot be computed backwards: the application may know it.
async fn of_subject(env: &Env, client: &Client, subject: &str) -> Result<Option<AccountId>, Failure> {
    Ok(match client.subject_type() {
        SubjectType::Public => AccountId::parse(subject).ok(),
        SubjectType::Pairwise => {
            let sector = client.sector();
            env.accounts.pairwise_subject(&env.realm, HintedSubject { sector: &sector, subject }).await?
        }
    })
}

/// Whether the client may ask this person, as far as it is up to the person's code. It is always asked, so that a client
/// that registers without the parameter evades nothing; whom a client may ask without it, the application says.
pub(super) async fn knows_user_code(
    env: &Env,
    client: &Client,
    account: &Account,
    code: Option<&str>,
) -> Result<(), Failure> {
    let query = UserCodeQuery { account: &account.id, client, code };
    match env.accounts.check_user_code(&env.realm, query).await? {
        UserCodeCheck::Fine => Ok(()),
        UserCodeCheck::Missing => USER_CODE_MISSING.refused(),
        UserCodeCheck::Wrong => USER_CODE_WRONG.refused(),
    }
}
