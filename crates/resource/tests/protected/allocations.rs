//! How often the layer allocates: a figure that does not depend on the machine. Each bound is what was counted, with a
//! tenth to spare.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_testkit::wait;
use http::{Request, Response};
use http_body_util::Full;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::api::{Api, bearer};

/// An API that does nothing.
#[derive(Clone)]
struct Silent;

impl Service<Request<Full<Bytes>>> for Silent {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::default())))
    }
}

/// After a first request has had the keys of the issuer fetched.
#[test]
fn a_jwt_allocates_little() {
    let api = Api::new();
    let request = bearer(&api.token("read"));
    let ask = || {
        let mut layered = api.resource.layer().layer(Silent);
        assert_eq!(wait(layered.call(request.clone())).unwrap().status(), 200);
    };
    ask();
    let counted = allocation_counter::measure(ask).count_total;
    assert!(counted <= 47, "more allocations than before: {counted}");
}
