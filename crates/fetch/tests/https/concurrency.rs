//! How many requests are in flight, and who shares one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chancery_core::fetch::{Fetch as _, FetchRequest};
use chancery_fetch::{Background, HttpsFetch, Limits, NotFetched, Options};
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::{advance, timeout};

use crate::internet::{Came, Does, Internet, JSON, cause, fetch, json, ok};

/// Lets everything go on until it waits for something. The clock moves by itself only then.
async fn settle<F: Future + Unpin>(running: &mut F) {
    assert!(timeout(Duration::from_millis(1), running).await.is_err(), "it is over");
}

/// Fetches all of these at once.
async fn fetch_all(client: &HttpsFetch, urls: &[String]) -> Vec<Came> {
    join_all(urls.iter().map(async |url| fetch(client, &json(url)).await)).await
}

/// Posts to all of these at once.
async fn post_all(client: &HttpsFetch, urls: &[String]) -> Vec<Came> {
    join_all(urls.iter().map(async |url| fetch(client, &FetchRequest::post(url, "a=b")).await)).await
}

/// An internet with servers that answer once for each permit, and one URL on each.
fn hosts(prefix: &str, number: usize, permits: &Arc<Semaphore>, internet: &Internet) -> Vec<String> {
    let host = |n: usize| {
        let name = format!("{prefix}{n}.example");
        let block = if prefix == "get" { 8 } else { 9 };
        let does = Does::Waits(permits.clone(), ok(JSON, "{}"));
        internet.host(&name, &format!("{block}.0.{}.{}", n / 256, n % 256), does);
        format!("https://{name}/")
    };
    (0..number).map(host).collect()
}

#[tokio::test(start_paused = true)]
async fn the_seventeenth_document_waits() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let urls = hosts("get", 17, &permits, &internet);
    let client = internet.client();
    let mut all = Box::pin(fetch_all(&client, &urls));
    settle(&mut all).await;
    assert_eq!(internet.dialled().len(), 16);
    permits.add_permits(1);
    settle(&mut all).await;
    assert_eq!(internet.dialled().len(), 1);
    permits.add_permits(16);
    assert!(all.await.iter().all(|came| came.to.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn the_fifth_request_to_a_host_waits_in_nobody_s_way() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let mut urls: Vec<String> = hosts("get", 1, &permits, &internet);
    urls = (0..20).map(|n| format!("{}{n}", urls[0])).collect();
    let client = internet.client();
    let mut same = Box::pin(fetch_all(&client, &urls));
    settle(&mut same).await;
    assert_eq!(internet.dialled().len(), 4);
    // Sixteen wait for that host; there is room for twelve others.
    let others = hosts("post", 12, &permits, &internet);
    let mut others = Box::pin(fetch_all(&client, &others));
    settle(&mut others).await;
    assert_eq!(internet.dialled().len(), 12);
    permits.add_permits(32);
    let (same, others) = tokio::join!(same, others);
    assert!(same.iter().chain(&others).all(|came| came.to.is_ok()));
    assert_eq!(internet.dialled().len(), 16);
}

/// Documents that strangers make us wait for delay no notice, and dead receivers of notices delay no document.
#[tokio::test(start_paused = true)]
async fn documents_and_notices_do_not_wait_for_each_other() {
    let (internet, never) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let (gets, posts) = (hosts("get", 17, &never, &internet), hosts("post", 513, &never, &internet));
    let client = internet.client();
    let mut asked = Box::pin(fetch_all(&client, &gets));
    settle(&mut asked).await;
    assert_eq!(internet.dialled().len(), 16);
    let mut told = Box::pin(post_all(&client, &posts));
    settle(&mut told).await;
    assert_eq!(internet.dialled().len(), 512);
    let (asked, told) = tokio::join!(asked, told);
    let ends = |came: &[Came]| came.iter().filter(|came| matches!(cause(&came.to), NotFetched::Busy)).count();
    assert_eq!((ends(&asked), ends(&told)), (1, 1), "who waited in vain was not to blame");
}

/// Hosts that keep us waiting do so to each other alone the next time, until they are quick again; also those that
/// nobody waited for to the end.
#[tokio::test(start_paused = true)]
async fn slow_hosts_wait_for_each_other_only() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let quick = hosts("post", 3, &Arc::new(Semaphore::new(9)), &internet);
    let urls = hosts("get", 16, &permits, &internet);
    let client = internet.client();
    // One half is waited for in vain, the other half is not.
    let (waited_for, left) = urls.split_at(8);
    let waited_for = Box::pin(fetch_all(&client, waited_for));
    let left = timeout(Duration::from_secs(2), fetch_all(&client, left));
    let (waited_for, left) = tokio::join!(waited_for, left);
    assert!(left.is_err() && waited_for.iter().all(|came| matches!(cause(&came.to), NotFetched::TooSlow)));
    advance(Duration::from_secs(10)).await;

    let _ = internet.dialled();
    let mut again = Box::pin(fetch_all(&client, &urls));
    settle(&mut again).await;
    assert_eq!(internet.dialled().len(), 4);
    let healthy = timeout(Duration::from_millis(1), fetch_all(&client, &quick)).await.unwrap();
    assert!(healthy.iter().all(|came| came.to.is_ok()));
    permits.add_permits(16);
    assert!(again.await.iter().all(|came| came.to.is_ok()));

    let _ = internet.dialled();
    let mut once_more = Box::pin(fetch_all(&client, &urls));
    settle(&mut once_more).await;
    assert_eq!(internet.dialled().len(), 16, "they were quick");
}

/// Whoever gives up again and again has another server asked once: the next one gets what was asked for, also when it
/// came while nobody waited. Once somebody has heard it, and after a while in any case, the server is asked again.
#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the test says where requests go on, as the server does")]
async fn a_request_that_is_given_up_goes_on() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let urls = hosts("get", 1, &permits, &internet);
    let background: Background = Arc::new(|rest| drop(tokio::spawn(rest)));
    let options = Options { background: Some(background), ..internet.options(Limits::default(), &[]) };
    let client = HttpsFetch::new(options).unwrap();
    let give_up = async || settle(&mut Box::pin(fetch_all(&client, &urls))).await;
    let heard = async || fetch_all(&client, &urls).await.iter().all(|came| came.to.is_ok());
    for _ in 0..20 {
        give_up().await;
    }
    permits.add_permits(1);
    assert!(heard().await);
    assert_eq!(internet.dialled().len(), 1, "it was still under way");

    give_up().await;
    permits.add_permits(1);
    advance(Duration::from_secs(1)).await;
    settle(&mut Box::pin(std::future::pending::<()>())).await;
    assert!(heard().await);
    assert_eq!(internet.dialled().len(), 1, "it came meanwhile");
    permits.add_permits(1);
    assert!(heard().await);
    assert_eq!(internet.dialled().len(), 1, "it is asked again");

    give_up().await;
    permits.add_permits(2);
    settle(&mut Box::pin(std::future::pending::<()>())).await;
    advance(Duration::from_secs(10)).await;
    assert!(heard().await);
    assert_eq!(internet.dialled().len(), 2, "it is too old");
}

/// Nor do they at one host: whoever makes us ask a host slowly for documents keeps no notice from it.
#[tokio::test(start_paused = true)]
async fn documents_of_a_host_delay_no_notice_to_it() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let one = hosts("get", 1, &permits, &internet).remove(0);
    let urls: Vec<String> = (0..5).map(|n| format!("{one}{n}")).collect();
    let client = internet.client();
    let mut asked = Box::pin(fetch_all(&client, &urls));
    settle(&mut asked).await;
    assert_eq!(internet.dialled().len(), 4);
    let mut told = Box::pin(post_all(&client, &urls));
    settle(&mut told).await;
    assert_eq!(internet.dialled().len(), 4);
    permits.add_permits(10);
    let (asked, told) = tokio::join!(asked, told);
    assert!(asked.iter().chain(&told).all(|came| came.to.is_ok()));
}

/// Who waits does so within the time of the request, and our own overload is not remembered as anybody's failure.
#[tokio::test(start_paused = true)]
async fn waiting_counts_as_time() {
    let (internet, never) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let urls = hosts("get", 18, &never, &internet);
    let client = internet.client();
    let mut slow = Box::pin(fetch_all(&client, &urls[..16]));
    settle(&mut slow).await;
    advance(Duration::from_secs(1)).await;
    let mut late = Box::pin(fetch_all(&client, &urls[16..17]));
    settle(&mut late).await;
    for came in slow.await {
        assert!(matches!(cause(&came.to), NotFetched::TooSlow));
        assert_eq!(came.after, Duration::from_secs(5));
    }
    internet.dialled();
    // It had the last of its five seconds, which says nothing about its server.
    let late = late.await;
    assert_eq!(internet.dialled(), ["8.0.0.16:443"]);
    assert!(matches!(cause(&late[0].to), NotFetched::Busy));
    assert!(late[0].after <= Duration::from_secs(5) + Duration::from_millis(1));
    never.add_permits(1);
    assert!(fetch(&client, &json(&urls[16])).await.to.is_ok());
}

#[tokio::test(start_paused = true)]
async fn fifty_who_want_the_same_document_share_a_request() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let url = hosts("get", 1, &permits, &internet).remove(0);
    let client = internet.client();
    let urls = vec![url.clone(); 50];
    let mut all = Box::pin(fetch_all(&client, &urls));
    settle(&mut all).await;
    permits.add_permits(1);
    for came in all.await {
        assert_eq!(&**came.to.unwrap().body(), b"{}");
    }
    assert_eq!(internet.dialled().len(), 1);
    // What is over is not shared: who asks now asks the server.
    permits.add_permits(1);
    assert!(fetch(&client, &json(&url)).await.to.is_ok());
    assert_eq!(internet.dialled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_same_request_for_a_document_is_shared() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let url = hosts("get", 1, &permits, &internet).remove(0);
    let client = internet.client();
    let other = format!("{url}?");
    let requests = [
        json(&url),
        FetchRequest::get(&url, "application/json, application/jwt", 1 << 30),
        FetchRequest::get(&url, JSON, 2),
        json(&other),
    ];
    let mut all = Box::pin(join_all(requests.iter().map(|request| fetch(&client, request))));
    settle(&mut all).await;
    assert_eq!(internet.dialled().len(), 4);
    permits.add_permits(4);
    assert!(all.await.iter().all(|came| came.to.is_ok()));
    // Each notice is sent, even if it says the same.
    permits.add_permits(3);
    assert!(post_all(&client, &[url.clone(), url.clone(), url]).await.iter().all(|came| came.to.is_ok()));
    assert_eq!(internet.dialled().len(), 3);
}

/// The first who wanted the document goes away, in a task of its own, while it alone drives the request.
#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "tasks that end at different times")]
async fn who_gives_up_ends_nobody_else_s_request() {
    let (internet, permits) = (Internet::new(), Arc::new(Semaphore::new(0)));
    let url = hosts("get", 1, &permits, &internet).remove(0);
    let client = internet.client();
    let waiter = || {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move { client.fetch(&json(&url)).await })
    };
    let (mut first, second, third) = (waiter(), waiter(), waiter());
    settle(&mut first).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    third.abort();
    permits.add_permits(1);
    assert!(second.await.unwrap().is_ok());
    assert_eq!(internet.dialled().len(), 1);

    // When everybody has given up, the request ends if it has nowhere to go on, and its place is free.
    let mut last = waiter();
    settle(&mut last).await;
    assert_eq!(internet.open.load(Ordering::SeqCst), 1);
    last.abort();
    let _ = last.await;
    settle(&mut Box::pin(std::future::pending::<()>())).await;
    assert_eq!(internet.open.load(Ordering::SeqCst), 0, "nothing goes on in the background");
    permits.add_permits(1);
    assert!(fetch(&client, &json(&url)).await.to.is_ok());
    assert_eq!(internet.dialled().len(), 2);
}
