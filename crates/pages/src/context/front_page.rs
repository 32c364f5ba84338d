//! The page at the issuer's own address.

use chancery_http::{FrontPageView, TrialClients};
use minijinja::context;
use minijinja::value::Value;

pub(super) fn front_page(view: &FrontPageView) -> Value {
    let host = view.issuer.split_once("://").map_or(&*view.issuer, |(_, host)| host);
    context! {
        page => "front-page",
        host,
        issuer => view.issuer.as_str(),
        metadata => view.metadata.as_str(),
        keys => view.keys.as_str(),
        authorization => view.authorization.as_str(),
        token => view.token.as_str(),
        end_session => view.end_session.as_str(),
        userinfo => view.userinfo.as_str(),
        trial => view.trial.as_ref().map(trial),
    }
}

fn trial(clients: &TrialClients) -> Value {
    context! {
        public => clients.public.as_str(),
        confidential => clients.confidential.as_str(),
        machine => clients.machine.as_str(),
        secret => clients.secret.as_str(),
        machine_secret => clients.machine_secret.as_str(),
        has_own_password => clients.has_own_password,
        username => clients.username.as_str(),
        program => clients.program.as_deref(),
    }
}
