//! `chancery accept-issuer`: the store moves to the issuer of the configuration, on purpose.

use super::{Output, opened};
use crate::arguments::Configured;
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::Escaped;

pub(crate) async fn accept_issuer(configured: &Configured) -> Output {
    let (settings, opened) = opened(configured).await?;
    let _alone = StoreLock::take(&settings, Holder::Command("accept-issuer"))?;
    let issuer = &settings.issuer;
    let Some(before) = opened.other_issuer(&settings).await? else {
        opened.note_issuer(&settings).await?;
        return Ok(format!("the store belongs to {issuer} already; nothing was changed\n"));
    };
    opened.note_issuer(&settings).await?;
    Ok(format!(
        "the store belongs to {issuer} from now on, and no longer to {before}\n\
         ended: every session and token of before\n\
         next:  set every application and API up for {issuer}, then start the server\n",
        before = Escaped(&before)
    ))
}
