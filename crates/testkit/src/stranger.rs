//! Somebody who guesses passwords.

use std::cell::Cell;

use crate::provider::TestProvider;

/// Somebody who guesses a name, each time from a browser and, where the provider knows its peers, from a
/// network that nobody has used before.
pub struct Stranger<'k> {
    kit: &'k TestProvider,
    guesses: Cell<u32>,
}

impl<'k> Stranger<'k> {
    /// Who has not guessed yet.
    #[must_use]
    pub fn new(kit: &'k TestProvider) -> Self {
        Self { kit, guesses: Cell::new(0) }
    }

    /// The provider that is attacked.
    #[must_use]
    pub fn provider(&self) -> &'k TestProvider {
        self.kit
    }

    /// Types the name and a wrong password once more.
    #[track_caller]
    pub fn guess(&self, name: &str) {
        let n = self.guesses.replace(self.guesses.get() + 1);
        let bot = self.kit.user_agent();
        if self.kit.knows_peers() {
            bot.comes_from(&format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff));
        }
        let page = bot.open(&self.kit.authorization_request("web").scope("openid")).expect_page("login");
        drop(page.login_wrongly(name));
    }
}
