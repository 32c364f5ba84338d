//! A running server: the provider of now behind all listeners, what is done in the background, and the end.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use chancery::development::Demo;
use chancery_core::ports::Clock as _;
use chancery_core::provider::Provider;
use chancery_http::{Peer, Service, TrustedProxies};
use chancery_store_sqlite::{Running, SqliteStore};
use http::{Request, Response};
use http_body_util::Full;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use tower_service::Service as _;

use crate::arguments::Configured;
use crate::commands::lines;
use crate::listener::{Answering, Certificate, Connections, Terms, TimedBody, accept};
use crate::log::{Level, Log};
use crate::management::{self, Readiness};
use crate::pages;
use crate::parts::Opened;
use crate::settings::{self, Settings};
use chancery_core::ports::SystemClock;

/// How often the store is asked whether a command or another node has changed something, so that requests rarely have to:
/// one that finds that nobody has asked within a second asks itself.
const POLL: Duration = Duration::from_secs(1);

/// How long the end may take: what is in flight has 10 s of it.
const AT_LAST: Duration = Duration::from_secs(12);

/// How often what has expired is removed.
const SWEEP: Duration = Duration::from_secs(5);

/// What requests are answered with; replaced as a whole when the configuration is read again.
struct Current {
    provider: Arc<Provider>,
    service: Service,
    proxies: TrustedProxies,
}

/// A running server.
pub(crate) struct Node {
    settings: Settings,
    opened: Opened,
    log: Arc<Log>,
    demo: Option<Demo>,
    current: ArcSwap<Current>,
    certificate: Option<Arc<Certificate>>,
    connections: Arc<Connections>,
    is_ending: AtomicBool,
    /// Whether it was ready when somebody looked last.
    was_ready: AtomicBool,
    /// Whether somebody who is not believed has sent `X-Forwarded-For`.
    was_disbelieved: AtomicBool,
}

impl Node {
    /// Builds everything that can be built without a socket.
    pub(crate) async fn new(settings: Settings, opened: Opened, demo: Option<Demo>) -> Result<Arc<Self>, String> {
        let log = Log::start(settings.log).map_err(|error| format!("no thread for the log: {error}"))?;
        let log = Arc::new(log);
        let current = current(&settings, &opened, &log).await?;
        let certificate = match &settings.tls {
            None => None,
            Some(tls) => Some(Arc::new(Certificate::read(&tls.certificate, &tls.key)?)),
        };
        Ok(Arc::new(Self {
            connections: Arc::new(Connections::new(settings.http.connections, settings.http.connections_per_network)),
            current: ArcSwap::from_pointee(current),
            is_ending: AtomicBool::new(false),
            was_ready: AtomicBool::new(true),
            was_disbelieved: AtomicBool::new(false),
            settings,
            opened,
            log,
            demo,
            certificate,
        }))
    }

    /// Serves until the system asks for the end. `configured` is where the configuration is read again from.
    pub(crate) async fn run(self: Arc<Self>, configured: Option<Configured>) -> Result<(), String> {
        let Some(file) = self.opened.file.clone() else { return self.serve(configured).await };
        let running = self.begin(&file).await?;
        let served = self.clone().serve(configured).await;
        if let Err(error) = file.end(running).await {
            self.log.say(Level::Error, "store_not_closed", &error.to_string());
        }
        served
    }

    /// Notes in the store that a server works on it; looks through the store first when the one before was killed, or its
    /// machine stopped.
    async fn begin(&self, file: &SqliteStore) -> Result<Running, String> {
        let running = file.begin().await.map_err(|error| format!("store.sqlite: {error}"))?;
        if !running.was_closed() {
            let text = "the server before did not end in order; the store is checked before anything is served";
            self.log.say(Level::Warn, "store_check", text);
            let begun = Instant::now();
            file.check_integrity(&running).await.map_err(|error| {
                format!(
                    "store.sqlite: it is damaged: {error}; put a copy back, or see https://sqlite.org/recovery.html"
                )
            })?;
            self.log.say(
                Level::Info,
                "store_checked",
                &format!("nothing is wrong; {} ms", begun.elapsed().as_millis()),
            );
        }
        Ok(running)
    }

    async fn serve(self: Arc<Self>, configured: Option<Configured>) -> Result<(), String> {
        self.listen().await?;
        let caught = |kind| signal(kind).map_err(|error| format!("no signals: {error}"));
        let mut hangup = caught(SignalKind::hangup())?;
        let (terminate, interrupt) = (caught(SignalKind::terminate())?, caught(SignalKind::interrupt())?);
        let background = [tokio::spawn(self.clone().poll()), tokio::spawn(self.clone().sweep())];
        let reloading = tokio::spawn({
            let node = self.clone();
            async move {
                while hangup.recv().await.is_some() {
                    node.reload(configured.as_ref()).await;
                }
            }
        });
        self.log.say(Level::Info, "started", &format!("version {}", env!("CARGO_PKG_VERSION")));
        asked_to_end(terminate, interrupt).await;

        end_at_last();
        self.is_ending.store(true, Ordering::Relaxed);
        self.log.say(Level::Info, "ending", "no new connections; requests in flight may finish");
        let all_ended = self.connections.end().await;
        for task in background {
            task.abort();
        }
        reloading.abort();
        if !all_ended {
            self.log.say(Level::Warn, "cut_off", "some requests were still in flight after 10 s");
        }
        self.log.say(Level::Info, "ended", "bye");
        Ok(())
    }

    /// Opens all listeners, before the first request is answered.
    async fn listen(self: &Arc<Self>) -> Result<(), String> {
        let mut listeners = Vec::new();
        let http = if self.demo.is_some() { "chancery dev --listen" } else { "http.listen" };
        for address in &self.settings.http.listen {
            listeners.push((bind(http, *address).await?, None));
        }
        for address in self.settings.tls.iter().flat_map(|tls| &tls.listen) {
            listeners.push((bind("tls.listen", *address).await?, self.certificate.clone()));
        }
        if let Some(demo) = &self.demo {
            println!("{demo}");
        }
        if let Some(address) = self.settings.management {
            let listener = bind("management.listen", address).await?;
            self.listening("management", &listener);
            tokio::spawn(management::answer(listener, self.clone()));
        }
        for (listener, certificate) in listeners {
            self.listening(if certificate.is_some() { "https" } else { "http" }, &listener);
            let terms = Terms {
                certificate,
                connections: self.connections.clone(),
                patience: self.settings.http.patience,
                answering: Front(self.clone()),
            };
            tokio::spawn(accept(listener, terms));
        }
        Ok(())
    }

    /// Said once: who forgets a proxy in the settings throttles all people behind it as one.
    fn disbelieved(&self, peer: IpAddr) {
        if !self.was_disbelieved.swap(true, Ordering::Relaxed) {
            let text = format!(
                "X-Forwarded-For from {peer} is not believed. If that is your proxy, name it in http.trusted_proxies: \
                 all who come through it are throttled as one. Said only once"
            );
            self.log.say(Level::Warn, "forwarded_for_ignored", &text);
        }
    }

    fn listening(&self, what: &str, listener: &TcpListener) {
        if let Ok(address) = listener.local_addr() {
            self.log.say(Level::Info, "listening", &format!("{what} on {address}"));
        }
    }

    /// Sees changes that commands and other nodes make.
    async fn poll(self: Arc<Self>) {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let provider = self.current.load().provider.clone();
            provider.refresh(SystemClock.now()).await;
        }
    }

    /// Removes what has expired, and tells how many connections found no place meanwhile.
    async fn sweep(self: Arc<Self>) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let turned_away = self.connections.turned_away();
            if turned_away > 0 {
                let text = format!(
                    "{turned_away} connections found no place; see http.connections and http.connections_per_network"
                );
                self.log.say(Level::Warn, "turned_away", &text);
            }
            if let Some(file) = &self.opened.file
                && let Err(error) = file.check_file().await
            {
                self.found(&Err(error.to_string()));
            }
            let provider = self.current.load().provider.clone();
            if let Err(fault) = provider.run_once(SystemClock.now()).await {
                self.log.say(Level::Error, "sweep_failed", &fault.to_string());
            }
        }
    }

    /// Reads certificate and configuration again. What is no good is not taken, and the log says why.
    async fn reload(&self, configured: Option<&Configured>) {
        if let Some(certificate) = &self.certificate {
            match certificate.reload() {
                Ok(()) => self.log.say(Level::Info, "certificate_reloaded", "new connections get it"),
                Err(why) => self.log.say(Level::Error, "certificate_kept", &why),
            }
        }
        let Some(configured) = configured else { return };
        match self.reconfigured(configured).await {
            Ok(current) => {
                self.current.store(Arc::new(current));
                self.log.say(Level::Info, "configuration_reloaded", "all requests from now on are answered by it");
            }
            Err(why) => self.log.say(Level::Error, "configuration_kept", &why),
        }
    }

    async fn reconfigured(&self, configured: &Configured) -> Result<Current, String> {
        let settings = settings::load(configured).map_err(|complaints| lines(&complaints))?;
        if settings.issuer != self.settings.issuer || settings.realm != self.settings.realm {
            return Err("another issuer or realm needs a restart".to_owned());
        }
        current(&settings, &self.opened, &self.log).await
    }
}

/// What can be done about an address depends on why it cannot be had.
async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => "; another process listens there: end it, or choose another port",
            ErrorKind::AddrNotAvailable => "; this machine has no such address",
            ErrorKind::PermissionDenied => "; a port below 1024 needs the capability CAP_NET_BIND_SERVICE",
            _ => "",
        };
        format!("{setting}: cannot listen on {address}: {error}{advice}")
    })
}

async fn current(settings: &Settings, opened: &Opened, log: &Arc<Log>) -> Result<Current, String> {
    let shown = pages::open(&settings.pages)?;
    let provider = opened.provider(settings, log.clone(), shown.locales()).await;
    let provider = provider.map_err(|complaints| lines(&complaints))?;
    let service = chancery_http::service(provider.clone())
        .with_pages(shown)
        .with_trusted_proxies(settings.http.trusted_proxies.clone());
    Ok(Current { provider, service, proxies: settings.http.trusted_proxies.clone() })
}

/// Ends the process when everything that waits for something outside (a reader of the log, the disk, a peer) had its time.
fn end_at_last() {
    std::thread::spawn(|| {
        std::thread::sleep(AT_LAST);
        std::process::exit(1);
    });
}

async fn asked_to_end(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// One listener's view of the node.
#[derive(Clone)]
struct Front(Arc<Node>);

impl Answering for Front {
    /// Many people come through a proxy, and this machine's own programs are not strangers.
    fn is_counted(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        !peer.is_loopback() && !self.0.current.load().proxies.contains(peer)
    }

    async fn answer(&self, peer: SocketAddr, mut request: Request<TimedBody>) -> Response<Full<Bytes>> {
        if let Some(refusal) = self.0.demo.as_ref().and_then(|demo| demo.refuse(&request)) {
            return refusal;
        }
        request.extensions_mut().insert(Peer(peer.ip()));
        let current = self.0.current.load_full();
        if request.headers().contains_key("x-forwarded-for") && !current.proxies.contains(peer.ip().to_canonical()) {
            self.0.disbelieved(peer.ip());
        }
        let mut service = current.service.clone();
        match service.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

impl Readiness for Node {
    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    async fn probe(&self) -> Result<(), String> {
        self.opened.probe(&self.settings.realm).await
    }

    /// Told in the log when it changes.
    fn found(&self, readiness: &Result<(), String>) {
        let was_ready = self.was_ready.swap(readiness.is_ok(), Ordering::Relaxed);
        match readiness {
            Ok(()) if !was_ready => self.log.say(Level::Info, "ready_again", "the store can be read and written"),
            Err(why) if was_ready => self.log.say(Level::Error, "not_ready", why),
            _ => {}
        }
    }
}
