//! `chancery accept-issuer`: the store moves to the issuer of the configuration, on purpose.

use super::{Output, opened};
use crate::arguments::Configured;
use crate::store_lock::{Holder, StoreLock};

pub(crate) async fn accept_issuer(configured: &Configured) -> Output {
    let (settings, opened) = opened(configured).await?;
    let _alone = StoreLock::take(&settings, Holder::Command("accept-issuer"))?;
    opened.note_issuer(&settings).await?;
    Ok(format!("the store belongs to {} from now on\n", settings.issuer))
}
