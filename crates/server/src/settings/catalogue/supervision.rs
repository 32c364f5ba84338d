//! `[management]` and `[log]`: what whoever supervises the process sees.

use super::{Form, Setting, setting};

pub(super) const SUPERVISION: &[Setting] = &[
    setting(
        "management.listen",
        Form::Text,
        "\"127.0.0.1:9090\"",
        "Address and port; empty for none. Whoever reaches it can read how much the server does and when its keys change.",
    ),
    setting("log.level", Form::Choice(&["info", "warn"]), "\"info\"", "`warn`: only refusals and faults."),
    setting(
        "log.format",
        Form::Choice(&["json", "text"]),
        "\"json\"",
        "The form of a line: `json` for programs, or `text` for people, which the development provider writes.",
    ),
];
