//! One listener's view of a running server: whom it counts, and how it answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use chancery_http::{Peer, PeerCertificate};
use chancery_x509::ClientCertificate;
use http::{Request, Response};
use http_body_util::Full;

use super::{Current, Node};
use crate::listener::{Handler, TimedBody};
use crate::log::Level;
use crate::trace::Trace;

/// One listener's view of the node.
#[derive(Clone)]
pub(super) struct NodeHandler(pub(super) Arc<Node>);

impl Handler for NodeHandler {
    /// A proxy speaks for many people, and this machine's own programs are trusted.
    fn is_counted(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        !peer.is_loopback() && !self.0.current.load().proxies.contains(peer)
    }

    async fn answer(
        &self,
        peer: SocketAddr,
        certificate: Option<Arc<ClientCertificate>>,
        request: Request<TimedBody>,
    ) -> Response<Full<Bytes>> {
        let current = self.0.current.load_full();
        let endpoint = current.service.endpoint(request.uri().path());
        let counted = self.0.metrics.request(endpoint);
        let response = match &self.0.heard.spans {
            None => {
                let trace = Trace::of(request.headers());
                Trace::around(trace, self.answer_with(&current, peer, certificate, request)).await
            }
            // In a box, so that whoever has no spans carries no room for them.
            Some(spans) => {
                let span = spans.request(request.method(), endpoint, request.headers());
                let work = self.answer_with(&current, peer, certificate, request);
                let response = Box::pin(span.around(Trace::around(Some(span.trace()), work))).await;
                span.answered(response.status());
                response
            }
        };
        counted.answered(response.status());
        response
    }
}

impl NodeHandler {
    async fn answer_with(
        &self,
        current: &Current,
        peer: SocketAddr,
        certificate: Option<Arc<ClientCertificate>>,
        mut request: Request<TimedBody>,
    ) -> Response<Full<Bytes>> {
        if let Some(refusal) = self.0.demo.as_ref().and_then(|demo| demo.refuse(&request)) {
            return refusal;
        }
        let is_proxy = current.proxies.contains(peer.ip().to_canonical());
        request.extensions_mut().insert(Peer(peer.ip()));
        if let Some(certificate) = certificate {
            if is_proxy {
                self.0.certificate_ignored(peer.ip());
            }
            request.extensions_mut().insert(PeerCertificate(certificate));
        }
        if is_proxy {
            let endpoint = || current.service.endpoint(request.uri().path());
            if let Some(text) = self.0.other_hosts.notice(peer.ip(), &request, endpoint) {
                self.0.log.say(Level::Warn, "host_not_handed_on", &text);
            }
        } else if request.headers().contains_key("x-forwarded-for") {
            self.0.forwarded_for_ignored(peer.ip());
        }
        // In a box, so that it does not move with the connection.
        Box::pin(current.service.respond(request)).await
    }
}

impl Node {
    /// Warns once, because the throttle counts all people behind a proxy that the settings do not name as
    /// one.
    fn forwarded_for_ignored(&self, peer: IpAddr) {
        if !self.has_ignored_forwarded_for.swap(true, Ordering::Relaxed) {
            let text = format!(
                "X-Forwarded-For of {peer} is ignored. If that is your proxy, add it to http.trusted_proxies; otherwise \
                 all people behind it are throttled as one. This is logged once"
            );
            self.log.say(Level::Warn, "forwarded_for_ignored", &text);
        }
    }

    /// Warns once, because a client on the same machine as a proxy looks like it.
    fn certificate_ignored(&self, peer: IpAddr) {
        if !self.has_ignored_certificate.swap(true, Ordering::Relaxed) {
            let text = format!(
                "the certificate of {peer} counts for nobody, because http.trusted_proxies or \
                 http.client_certificate_proxies has that address and a proxy connects for others. If clients connect \
                 from there by themselves, take it out. This is logged once"
            );
            self.log.say(Level::Warn, "client_certificate_ignored", &text);
        }
    }
}
