//! The binary `chancery`: settings, listeners, TLS, log and commands.

mod access;
mod arguments;
mod commands;
mod detail_types;
mod development;
mod fetch;
mod heard;
mod help;
mod issuer;
mod kept;
mod listener;
mod log;
mod management;
mod metrics;
mod node;
mod open_files;
mod outbox;
mod pages;
mod parts;
mod secrets;
mod reasons;
mod settings;
mod spans;
mod store_lock;
mod terminal;
mod text_file;
mod trace;
mod trial;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use crate::arguments::{Command, Configured, Develop, Log, ReportFormat};
use crate::settings::Source;
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::Escaped;

/// How long the runtime's threads may take to end.
const RUNTIME_SHUTDOWN: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let command = help::arguments().command.unwrap_or(Command::Dev(Develop::default()));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(command));
    // Tasks that still wait for something outside are dropped.
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    match done {
        Ok(said) => {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(said.as_bytes()).and_then(|()| out.flush());
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprint!("{}", Escaped::lines(&why));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> commands::Output {
    match command {
        Command::Dev(wanted) => development::develop(wanted).await.map(|()| String::new()),
        Command::Try(wanted) => trial::sign_in(wanted).await.map(|()| String::new()),
        Command::Serve(configured) => serve(configured).await.map(|()| String::new()),
        Command::Check { configured, report: Some(standard), json, format, .. } => {
            let format = if json { ReportFormat::Json } else { format };
            commands::report(&configured, &standard, format).await
        }
        Command::Check { configured, strict, json, .. } => {
            Box::pin(commands::check(&configured, strict, json)).await
        }
        Command::Init(wanted) => commands::init(wanted).await,
        Command::Backup(wanted) => commands::backup(wanted).await,
        Command::Restore(wanted) => commands::restore(wanted).await,
        Command::AcceptIssuer(configured) => commands::accept_issuer(&configured).await,
        Command::Client(command) => Box::pin(commands::client(command)).await,
        Command::RegistrationToken(command) => commands::registration_token(command).await,
        Command::User(command) => Box::pin(commands::user(command)).await,
        Command::Session(command) => commands::session(command).await,
        Command::Keys(command) => commands::keys(command).await,
        Command::Log(Log::Explain { code }) => reasons::explained(&code),
        Command::Pages(command) => commands::pages(command).await,
        Command::Reasons { markdown: true, .. } => Ok(reasons::table()),
        Command::Reasons { name, markdown: false } => reasons::list(name.as_deref()),
        Command::Schema { markdown: false } => Ok(settings::schema()),
        Command::Schema { markdown: true } => Ok(settings::reference()),
    }
}

async fn serve(configured: Configured) -> Result<(), String> {
    let source = Source::of(&configured);
    if source.is_development {
        return Err("the development provider is started by `chancery dev`, which keeps it to this machine; `serve` needs a \
            configuration: name it with --config, or write one with `chancery init`".to_owned());
    }
    let settings = settings::load(&configured).map_err(|complaints| commands::lines(&complaints))?;
    parts::check_existing(&settings)?;
    // Before anything is written into the store, whose tables an older server may be using.
    let _alone = StoreLock::take(&settings, Holder::Server)?;
    let opened = parts::open(&settings)?;
    opened.check_realm(&settings).await?;
    opened.check_issuer(&settings).await?;
    if matches!(settings.store, settings::Store::Memory) {
        opened.first_keys(&settings).await?;
    }
    // A reload reads this file, also if another one would be found by then.
    let configured = Configured { config: Some(source.path), ..configured };
    node::Node::new(settings, opened, None).await?.run(Some(configured)).await
}
