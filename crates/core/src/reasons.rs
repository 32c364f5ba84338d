//! The catalogue: every reason for which this crate refuses something, with what it means.

use crate::error::Described;
use crate::{client, endpoint, error, interaction, issue, model, policy, request, rule};

/// The lists of the modules. A test compares it with the modules that have one.
const LISTS: &[&[Described]] = &[
    client::authentication::REASONS,
    client::authentication::assertion::REASONS,
    client::authentication::certificate::REASONS,
    client::authentication::presented::REASONS,
    client::authentication::secret::REASONS,
    client::demanded::REASONS,
    client::keys::REASONS,
    client::software_statement::REASONS,
    endpoint::awaited::REASONS,
    endpoint::backchannel_authentication::REASONS,
    endpoint::backchannel_authentication::grant::REASONS,
    endpoint::backchannel_authentication::hint::REASONS,
    endpoint::backchannel_authentication::parameters::REASONS,
    endpoint::device_authorization::REASONS,
    endpoint::device_authorization::grant::REASONS,
    endpoint::end_session::REASONS,
    endpoint::introspection::REASONS,
    endpoint::introspection::signed::REASONS,
    endpoint::registration::REASONS,
    endpoint::revocation::REASONS,
    endpoint::token::REASONS,
    endpoint::token::authorization_code::REASONS,
    endpoint::token::client_credentials::REASONS,
    endpoint::token::refresh_token::REASONS,
    endpoint::pushed_authorization_request::REASONS,
    endpoint::userinfo::REASONS,
    error::REASONS,
    interaction::REASONS,
    interaction::approval::REASONS,
    interaction::commit::REASONS,
    interaction::form_token::REASONS,
    interaction::prompt::REASONS,
    interaction::user_code::REASONS,
    issue::access_token::REASONS,
    issue::authorization_response::REASONS,
    issue::encrypted::REASONS,
    issue::id_token::REASONS,
    model::binding::REASONS,
    model::client::REASONS,
    policy::authorization::REASONS,
    policy::clear::REASONS,
    request::addressed::REASONS,
    request::backchannel::REASONS,
    request::encrypted::REASONS,
    request::object::REASONS,
    request::pushed::REASONS,
    request::resolver::REASONS,
    request::response::REASONS,
    request::unaddressed::REASONS,
    request::validated::REASONS,
    rule::authorization_details::REASONS,
    rule::bearer::REASONS,
    rule::claims::REASONS,
    rule::dpop::REASONS,
    rule::pkce::REASONS,
    rule::resource::REASONS,
    rule::scope::REASONS,
    rule::step_up::REASONS,
];

/// Every reason of this crate, module by module.
pub fn all() -> impl Iterator<Item = Described> {
    LISTS.iter().copied().flatten().copied()
}

/// Those for which every protected resource refuses an access token, or the proof that comes with it.
pub fn of_tokens() -> impl Iterator<Item = Described> {
    [rule::bearer::REASONS, rule::dpop::REASONS, rule::step_up::REASONS].into_iter().flatten().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_taken_once_and_meanings_are_sentences() {
        let mut names = BTreeSet::new();
        for Described { reason, meaning } in all() {
            assert!(names.insert(reason.name), "{} is taken twice", reason.name);
            assert!(meaning.trim().ends_with('.'), "{} is not explained", reason.name);
            let is_plain = |c: char| c.is_ascii() && !c.is_ascii_control() && c != '"' && c != '\\';
            assert!(reason.description.chars().all(is_plain), "RFC 6749 section 5.2: {}", reason.name);
        }
    }
}
