//! The Chancery authorization server as one binary: settings, listeners, TLS, log, commands.

mod access;
mod arguments;
mod commands;
mod development;
mod listener;
mod log;
mod management;
mod node;
mod pages;
mod parts;
mod secrets;
mod reasons;
mod settings;
mod terminal;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::arguments::{Arguments, Command, Configured, Develop};
use crate::terminal::Shown;

/// How long the threads may take to end when there is nothing left to do.
const LEFT_OVER: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let command = Arguments::parse().command.unwrap_or(Command::Dev(Develop::default()));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(command));
    // Tasks that still wait for something outside are not waited for.
    runtime.shutdown_timeout(LEFT_OVER);
    match done {
        Ok(said) => {
            let mut out = std::io::stdout().lock();
            let written = out.write_all(said.as_bytes()).and_then(|()| out.flush());
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprint!("{}", Shown::lines(&why));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> commands::Said {
    match command {
        Command::Dev(wanted) => development::develop(wanted).await.map(|()| String::new()),
        Command::Serve(configured) => serve(configured).await.map(|()| String::new()),
        Command::Check { configured, strict } => commands::check(&configured, strict).await,
        Command::Init(wanted) => commands::init(wanted).await,
        Command::Client(command) => commands::client(command).await,
        Command::User(command) => commands::user(command).await,
        Command::Keys(command) => commands::keys(command).await,
        Command::Reasons { markdown: true, .. } => Ok(reasons::table()),
        Command::Reasons { name, markdown: false } => reasons::list(name.as_deref()),
        Command::Schema { markdown: false } => Ok(settings::schema()),
        Command::Schema { markdown: true } => Ok(settings::reference()),
    }
}

async fn serve(configured: Configured) -> Result<(), String> {
    let settings = settings::load(&configured).map_err(|complaints| commands::lines(&complaints))?;
    let opened = parts::open_made(&settings)?;
    if matches!(settings.store, settings::Store::Memory) {
        opened.first_keys(&settings.realm).await.map_err(|fault| fault.to_string())?;
    }
    node::Node::new(settings, opened, None).await?.run(Some(configured)).await
}
