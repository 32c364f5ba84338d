//! A running server: the current provider behind all listeners, the background tasks, and the shutdown.

mod certificate_end;
mod changes;
mod handler;
mod other_host;
mod readiness;
mod reload;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use chancery::development::Demo;
use chancery_core::fetch::DynFetch;
use chancery_core::ports::{Clock as _, PrivateKeys as _, SystemClock};
use chancery_core::provider::Provider;
use chancery_http::{Service, TrustedProxies};
use chancery_store::StoreError;
use chancery_store_sqlite::{Running, SqliteStore};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::changes::Changes;
use self::handler::NodeHandler;
use self::other_host::OtherHosts;
use self::readiness::Readiness;
use crate::access::with_companions;
use crate::arguments::Configured;
use crate::commands::lines;
use crate::fetch;
use crate::heard::Heard;
use crate::listener::{AsksClients, Certificate, Connections, ListenerConfig, accept};
use crate::log::{Level, Log};
use crate::management::{self, Supervised};
use crate::metrics::{Metrics, Reading, StoreReading};
use crate::open_files;
use crate::outbox::{self, Bell};
use crate::pages;
use crate::parts::{Opened, hindered_step, silent};
use crate::settings::{Settings, Store};
use crate::spans::Spans;

/// How often the store is asked whether a command or another node has changed something. A request asks by
/// itself if nobody has asked for a second.
const POLL: Duration = Duration::from_secs(1);

/// How long a shutdown may take, of which requests in flight have 10 s.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(12);

/// How often expired records are removed.
const SWEEP: Duration = Duration::from_secs(5);

/// How long the metrics wait for the store. What it does not say in time is missing, and everything else is told.
const READING: Duration = Duration::from_secs(1);

/// What answers requests. It is replaced as a whole when the configuration is reloaded.
struct Current {
    provider: Arc<Provider>,
    service: Service,
    proxies: TrustedProxies,
}

/// With which certificate a listener answers, and whether it asks clients for theirs.
type Tls = (Arc<Certificate>, AsksClients);

/// Sockets that are bound, and on which nobody is answered yet.
struct Bound {
    listeners: Vec<(TcpListener, Option<Tls>)>,
    management: Option<TcpListener>,
}

/// How the address of a development provider is chosen.
pub(crate) const DEVELOPMENT_ADDRESS: &str = "chancery dev --listen";

/// A running server.
pub(crate) struct Node {
    settings: Settings,
    opened: Opened,
    log: Arc<Log>,
    metrics: Arc<Metrics>,
    heard: Arc<Heard>,
    demo: Option<Demo>,
    current: ArcSwap<Current>,
    certificate: Option<Arc<Certificate>>,
    connections: Arc<Connections>,
    is_ending: AtomicBool,
    /// Rings when there is something to send to clients.
    bell: Arc<Bell>,
    readiness: Readiness,
    /// Whether an `X-Forwarded-For` of an untrusted peer was logged.
    has_ignored_forwarded_for: AtomicBool,
    /// Whether a certificate of a trusted proxy was logged.
    has_ignored_certificate: AtomicBool,
    /// The names by which proxies have asked in the place of the issuer's.
    other_hosts: OtherHosts,
    /// What commands have changed.
    changes: Arc<Changes>,
}

impl Node {
    /// Builds everything that can be built without a socket.
    pub(crate) async fn new(
        settings: Settings,
        mut opened: Opened,
        demo: Option<Demo>,
    ) -> Result<Arc<Self>, String> {
        let log = Log::start(settings.log)
            .map_err(|error| format!("the log's thread could not be started: {error}"))?;
        let log = Arc::new(log);
        let (bell, metrics) = (Arc::new(Bell::default()), Arc::new(Metrics::new(&opened.times)));
        let spans = Spans::start(&settings, &log)?;
        if let Some(spans) = &spans {
            opened.store = spans.store(opened.store);
        }
        let heard = Arc::new(Heard { log: log.clone(), metrics: metrics.clone(), spans });
        let current = current(&settings, &opened, (&heard, &bell), demo.as_ref()).await?;
        let certificate = match &settings.tls {
            None => None,
            Some(tls) => {
                let read = Certificate::read(&tls.certificate, &tls.key, SystemClock.now());
                Some(Arc::new(read.map_err(|why| settings.values.explain_line(why))?))
            }
        };
        // After the first look at the store, which finds everything that there is.
        let changes = Arc::new(Changes::since(&opened, &settings.realm).await);
        opened.documents.register(&changes);
        Ok(Arc::new(Self {
            changes,
            connections: Arc::new(Connections::new(
                settings.http.connections,
                settings.http.connections_per_network,
            )),
            current: ArcSwap::from_pointee(current),
            bell,
            is_ending: AtomicBool::new(false),
            readiness: Readiness::default(),
            has_ignored_forwarded_for: AtomicBool::new(false),
            has_ignored_certificate: AtomicBool::new(false),
            other_hosts: OtherHosts::of(&settings),
            settings,
            opened,
            log,
            metrics,
            heard,
            demo,
            certificate,
        }))
    }

    /// Serves until a signal asks for the shutdown. SIGHUP reloads the configuration from `configured`.
    pub(crate) async fn run(self: Arc<Self>, configured: Option<Configured>) -> Result<(), String> {
        // Before the store is touched: whoever starts a server twice is told so, and the one that runs is left alone.
        let bound = self.bind_all().await?;
        let Some(file) = self.opened.file.clone() else { return self.serve(bound, configured).await };
        let running = self.begin(&file).await?;
        self.note_issuer().await?;
        let served = self.clone().serve(bound, configured).await;
        if let Err(error) = file.end(running).await {
            self.log.say(Level::Error, "store_not_closed", &error.to_string());
        }
        served
    }

    /// Notes in the store that a server is using it, and checks its integrity if the last server was killed
    /// or lost its machine.
    async fn begin(&self, file: &SqliteStore) -> Result<Running, String> {
        let hindered = |error: StoreError| match &self.settings.store {
            Store::Sqlite { path, .. } => format!("store.sqlite: {}", hindered_step(path, &error)),
            Store::Memory => error.to_string(),
        };
        let running = file.begin().await.map_err(hindered)?;
        if !running.was_closed() {
            let text = "the last server was not shut down properly; the store is checked before requests are answered";
            self.log.say(Level::Warn, "store_check", text);
            let begun = Instant::now();
            file.check_integrity(&running).await.map_err(hindered)?;
            self.log.say(
                Level::Info,
                "store_checked",
                &format!("the store is intact; the check took {} ms", begun.elapsed().as_millis()),
            );
        }
        Ok(running)
    }

    /// Notes for which issuer the store is served. Only a development provider gets here with another one, as after
    /// `--listen` with another port: it goes on, and says what that means.
    async fn note_issuer(&self) -> Result<(), String> {
        if let Some(other) = self.opened.other_issuer(&self.settings).await? {
            let issuer = &self.settings.issuer;
            let text = format!(
                "this provider was {other} before, and is {issuer} from now on: sessions and tokens of before are worth nothing, \
                 and applications have to be set up for {issuer}"
            );
            self.log.say(Level::Warn, "issuer_changed", &text);
        }
        self.opened.note_issuer(&self.settings).await
    }

    async fn serve(self: Arc<Self>, bound: Bound, configured: Option<Configured>) -> Result<(), String> {
        self.listen(bound);
        let caught = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
        let mut hangup = caught(SignalKind::hangup())?;
        let (terminate, interrupt) = (caught(SignalKind::terminate())?, caught(SignalKind::interrupt())?);
        let background = [
            tokio::spawn(self.clone().poll()),
            tokio::spawn(self.clone().sweep()),
            tokio::spawn(self.clone().deliver()),
            tokio::spawn(self.clone().watch_certificate()),
        ];
        let reloading = tokio::spawn({
            let node = self.clone();
            async move {
                let mut taken = node.settings.values.clone();
                while hangup.recv().await.is_some() {
                    node.reload(configured.as_ref(), &mut taken).await;
                }
            }
        });
        self.log.say(Level::Info, "started", &format!("version {}", env!("CARGO_PKG_VERSION")));
        self.say_departures(&self.settings);
        shutdown_signal(terminate, interrupt).await;

        exit_at_the_deadline();
        self.is_ending.store(true, Ordering::Relaxed);
        self.log.answer(Level::Info, "ending", "no new connections; requests in flight may finish");
        let all_ended = self.connections.end().await;
        for task in background {
            task.abort();
        }
        reloading.abort();
        if let Some(spans) = &self.heard.spans {
            spans.end().await;
        }
        if !all_ended {
            self.log.answer(Level::Warn, "cut_off", "some requests were still in flight after 10 s");
        }
        self.log.answer(Level::Info, "ended", "bye");
        Ok(())
    }

    /// Binds all addresses.
    async fn bind_all(&self) -> Result<Bound, String> {
        open_files::raise();
        let mut listeners = Vec::new();
        let http = if self.demo.is_some() { DEVELOPMENT_ADDRESS } else { "http.listen" };
        for address in &self.settings.http.listen {
            listeners.push((bind(http, *address).await?, None));
        }
        for address in self.settings.tls.iter().flat_map(|tls| &tls.listen) {
            let certificate = self.certificate.clone().map(|certificate| (certificate, AsksClients::No));
            listeners.push((bind("tls.listen", *address).await?, certificate));
        }
        for address in self.settings.tls.iter().flat_map(|tls| &tls.mtls_listen) {
            let certificate = self.certificate.clone().map(|certificate| (certificate, AsksClients::Yes));
            listeners.push((bind("tls.mtls_listen", *address).await?, certificate));
        }
        let management = match self.settings.management {
            Some(address) => Some(bind("management.listen", address).await?),
            None => None,
        };
        Ok(Bound { listeners, management })
    }

    /// Answers what arrives from now on.
    fn listen(self: &Arc<Self>, Bound { listeners, management }: Bound) {
        if let Some(demo) = &self.demo {
            println!("{demo}");
        }
        if let Some(listener) = management {
            self.listening("management", &listener);
            tokio::spawn(management::answer(listener, self.clone()));
        }
        for (listener, certificate) in listeners {
            let what = match &certificate {
                None => "http",
                Some((_, AsksClients::No)) => "https",
                Some((_, AsksClients::Yes)) => "https, asking for certificates,",
            };
            self.listening(what, &listener);
            let config = ListenerConfig {
                certificate,
                connections: self.connections.clone(),
                timeouts: self.settings.http.timeouts,
                handler: NodeHandler(self.clone()),
            };
            tokio::spawn(accept(listener, config));
        }
    }

    fn listening(&self, what: &str, listener: &TcpListener) {
        if let Ok(address) = listener.local_addr() {
            self.log.say(Level::Info, "listening", &format!("{what} on {address}"));
        }
    }

    /// Looks whether the store's file is in its place, without which nothing is written any more, and for changes that
    /// commands and other nodes have made.
    async fn poll(self: Arc<Self>) {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_lost = false;
        loop {
            ticks.tick().await;
            if let Some(file) = &self.opened.file {
                match file.check_file().await {
                    Err(StoreError::Backend(why)) => {
                        was_lost = true;
                        self.record(&Err(why.to_string()));
                    }
                    Ok(()) if std::mem::take(&mut was_lost) => self.record(&self.probe().await),
                    _ => {}
                }
            }
            // Nothing changes in a store that is lost, and that it may not be read is said already.
            if was_lost {
                continue;
            }
            let provider = self.current.load().provider.clone();
            provider.refresh(SystemClock.now()).await;
            self.say_changes().await;
        }
    }

    /// Removes expired records, and logs how many connections were rejected meanwhile.
    async fn sweep(self: Arc<Self>) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let rejected = self.connections.rejected();
            self.metrics.rejected(rejected);
            if rejected > 0 {
                let text = match rejected {
                    1 => "1 connection was rejected".to_owned(),
                    _ => format!("{rejected} connections were rejected"),
                };
                let text = text + "; see http.connections and http.connections_per_network";
                self.log.say(Level::Warn, "turned_away", &text);
            }
            let provider = self.current.load().provider.clone();
            let begun = Instant::now();
            let swept = provider.sweep(SystemClock.now()).await;
            self.metrics.swept(begun, swept.as_ref().ok().copied());
            if let Err(fault) = swept
                && !self.readiness.explains_faults(Instant::now())
            {
                self.log.say(Level::Error, "sweep_failed", &fault.to_string());
            }
        }
    }

    /// Sends what is due to clients, as soon as there is something. It does not wait for slow clients: each run
    /// goes on beside the others, and together they keep to the limits.
    async fn deliver(self: Arc<Self>) {
        let mut ticks = interval(outbox::TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.bell.rung() => {}
            }
            let (provider, node) = (self.current.load().provider.clone(), self.clone());
            tokio::spawn(async move {
                if let Err(fault) = provider.deliver(SystemClock.now()).await
                    && !node.readiness.explains_faults(Instant::now())
                {
                    node.log.say(Level::Error, "delivery_failed", &fault.to_string());
                }
            });
        }
    }
}

/// Binds an address; if that fails, the error says what to do about its cause.
pub(crate) async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse if setting == DEVELOPMENT_ADDRESS => {
                "; another process is listening there: stop it, or choose another port, such as \
                 `chancery dev --listen 127.0.0.1:3001`"
            }
            ErrorKind::AddrInUse => "; another process is listening there: stop it, or choose another port",
            ErrorKind::AddrNotAvailable => "; this machine has no such address: choose one of those that `ip address` shows",
            ErrorKind::PermissionDenied => "; a port below 1024 needs the capability CAP_NET_BIND_SERVICE, and in a systemd unit PrivateUsers=no",
            _ => "",
        };
        format!("{setting}: cannot listen on {address}: {error}{advice}")
    })
}

async fn current(
    settings: &Settings,
    opened: &Opened,
    (heard, bell): (&Arc<Heard>, &Arc<Bell>),
    demo: Option<&Demo>,
) -> Result<Current, String> {
    let shown = pages::open(&settings.pages)?;
    let fetch: Arc<dyn DynFetch> = fetch::open(&settings.fetch)?;
    let fetch = match &heard.spans {
        Some(spans) => spans.fetch(fetch),
        None => fetch,
    };
    opened.encryption_keys(settings).await.map_err(|fault| fault.to_string())?;
    let provider = opened.provider(settings, (heard.clone(), fetch, bell.waker()), &shown.locales()).await;
    let provider = provider.map_err(|complaints| lines(&complaints))?;
    let service = chancery_http::service(provider.clone())
        .with_pages(shown)
        .with_trusted_proxies(settings.http.trusted_proxies.clone());
    let service = match demo {
        Some(demo) => service.with_trial_clients(demo.trial_clients()),
        None => service,
    };
    let service = match &settings.http.client_certificate {
        Some((forwarded, proxies)) => service.with_forwarded_certificates(forwarded.clone(), proxies.clone()),
        None => service,
    };
    let proxies = settings.http.trusted_proxies.clone();
    let proxies = match &settings.http.client_certificate {
        Some((_, others)) => proxies.and(others),
        None => proxies,
    };
    Ok(Current { provider, service, proxies })
}

async fn store_reading(file: &SqliteStore, path: &Path) -> StoreReading {
    let due = file.due().await.unwrap_or_default();
    let size = |file: &PathBuf| std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    StoreReading {
        steps: file.steps_waiting(),
        bytes: with_companions(path).iter().map(size).sum(),
        notices: due.count,
        first_notice: due.first,
    }
}

/// Exits the process even if something still waits for a reader of the log, the disk or a peer.
fn exit_at_the_deadline() {
    std::thread::spawn(|| {
        std::thread::sleep(SHUTDOWN_DEADLINE);
        std::process::exit(1);
    });
}

async fn shutdown_signal(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

impl Supervised for Node {
    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    async fn probe(&self) -> Result<(), String> {
        self.opened.probe(&self.settings).await
    }

    fn silent(&self) -> String {
        match &self.settings.store {
            Store::Sqlite { path, .. } => silent(path),
            Store::Memory => "the store does not answer in time".to_owned(),
        }
    }

    /// Logs every change of readiness, and what is missing once a minute.
    fn record(&self, found: &Result<(), String>) {
        if !self.readiness.is_news(found.is_ok(), Instant::now()) {
            return;
        }
        match found {
            Ok(()) => self.log.say(Level::Info, "ready_again", "the store can be read and written"),
            Err(why) => self.log.say(Level::Error, "not_ready", why),
        }
    }

    async fn metrics(&self) -> String {
        let (connections, connections_limit) = self.connections.load();
        let hashing = self.opened.accounts.hashing_load();
        let store = match (&self.opened.file, &self.settings.store) {
            (Some(file), Store::Sqlite { path, .. }) => {
                timeout(READING, store_reading(file, path)).await.unwrap_or_default()
            }
            _ => StoreReading::default(),
        };
        let keys = timeout(READING, self.opened.keys.list(&self.settings.realm)).await;
        let reading = Reading {
            is_ready: self.readiness.is_ready() && !self.is_ending.load(Ordering::Relaxed),
            connections,
            connections_limit,
            passwords: hashing.taken,
            passwords_limit: hashing.room,
            store,
            certificate_ends: self.certificate.as_ref().and_then(|certificate| certificate.ends()),
            log_lines_dropped: self.log.lines_dropped(),
            keys: keys.map(Result::unwrap_or_default).unwrap_or_default(),
        };
        self.metrics.text(&reading)
    }
}
