//! Says in the log when the server's own certificate is about to end, or has ended, because nobody may look at it otherwise
//! until every client refuses it.

use std::sync::Arc;
use std::time::Duration;

use chancery_core::ports::{Clock as _, SystemClock};
use chancery_types::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::Node;
use crate::listener::Ending;
use crate::listener::ending;
use crate::log::Level;

/// How often the end of the certificate is compared with the clock.
const LOOK: Duration = Duration::from_secs(60);

/// How often the same is said again.
const AGAIN: Duration = Duration::from_secs(86_400);

/// What was said last of the certificate, and when.
#[derive(Default)]
struct Said(Option<(Timestamp, Ending)>);

impl Said {
    /// What is to be said now: something else than before, or the same a day later.
    fn next(&mut self, ending: Option<Ending>, now: Timestamp) -> Option<&Ending> {
        let ending = ending?;
        if let Some((at, last)) = &self.0
            && *last == ending
            && now < *at + AGAIN
        {
            return None;
        }
        let (_, ending) = self.0.insert((now, ending));
        Some(ending)
    }
}

impl Node {
    /// Looks at the start, and then now and then.
    pub(super) async fn watch_certificate(self: Arc<Self>) {
        let Some(certificate) = &self.certificate else { return };
        let mut said = Said::default();
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = SystemClock.now();
            let ending = certificate.ends().and_then(|ends| ending(certificate.path(), ends, now));
            match said.next(ending, now) {
                Some(Ending::Soon(why)) => self.log.say(Level::Warn, "certificate_ends", why),
                Some(Ending::Ended(why)) => self.log.say(Level::Error, "certificate_ended", why),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const DAY: u64 = 86_400;

    /// Nothing until fourteen days before the end, then a warning each day, and an error from the first second after the
    /// end; nothing once it was renewed.
    #[test]
    fn the_end_is_said_once_a_day_and_at_once_when_it_has_come() {
        let at = |seconds: u64| Timestamp::from_secs(i64::try_from(seconds).unwrap());
        let ends = at(100 * DAY);
        let mut said = Said::default();
        let mut heard = |ends, seconds| {
            let ending = ending(Path::new("cert.pem"), ends, at(seconds));
            match said.next(ending, at(seconds)) {
                None => String::new(),
                Some(Ending::Soon(why)) => format!("soon {why}"),
                Some(Ending::Ended(why)) => format!("ended {why}"),
            }
        };
        assert_eq!(heard(ends, 86 * DAY), "");
        assert!(heard(ends, 86 * DAY + 1).starts_with(
            "soon cert.pem: ends on 1970-04-11 at 00:00:00 UTC, in less than 14 days: renew it"
        ));
        assert_eq!(heard(ends, 86 * DAY + 60), "");
        assert_eq!(heard(ends, 87 * DAY), "");
        assert!(heard(ends, 87 * DAY + 1).starts_with("soon "));
        assert!(heard(ends, 100 * DAY).starts_with("soon "), "it is valid in its last second");
        assert!(
            heard(ends, 100 * DAY + 1).starts_with(
                "ended cert.pem: ended on 1970-04-11 at 00:00:00 UTC, and every client refuses it"
            )
        );
        assert_eq!(heard(ends, 100 * DAY + 60), "");
        assert!(heard(ends, 101 * DAY + 1).starts_with("ended "));
        assert_eq!(heard(at(190 * DAY), 101 * DAY + 60), "");
        assert!(
            heard(at(105 * DAY), 101 * DAY + 120).starts_with("soon "),
            "another one that ends soon is named at once"
        );
    }
}
