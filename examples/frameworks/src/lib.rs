//! What the programs beside this file share: a development provider in one web framework each.

use std::sync::Arc;
use std::time::Duration;

use chancery::Provider;

/// The port of the environment, or 3000.
fn port() -> String {
    std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned())
}

/// Where the provider listens.
pub fn address() -> String {
    format!("127.0.0.1:{}", port())
}

/// The provider's issuer.
pub fn issuer() -> String {
    format!("http://localhost:{}", port())
}

/// The periodic work: removes what has expired, and sends what is due.
pub async fn work(provider: Arc<Provider>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        if let Err(fault) = provider.run_once(provider.now()).await {
            eprintln!("{fault}");
        }
    }
}
