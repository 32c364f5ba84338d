//! `[management]`, `[log]` and `[traces]`: what whoever supervises the process sees.

use super::{Form, Setting, setting};

pub(super) const SUPERVISION: &[Setting] = &[
    setting(
        "management.listen",
        Form::Text,
        "\"127.0.0.1:9090\"",
        "Address and port; empty for none. Whoever reaches it can read how much the server does and when its keys change.",
    ).at_restart(),
    setting("log.level", Form::Choice(&["info", "warn"]), "\"info\"", "`warn`: only refusals, faults and what answers a signal."),
    setting(
        "log.format",
        Form::Choice(&["json", "text"]),
        "\"json\"",
        "The form of a line: `json` for programs, or `text` for people, which the development provider writes.",
    ),
    setting(
        "traces.endpoint",
        Form::Text,
        "\"\"",
        "Where the collector takes traces (OTLP over HTTP), such as `http://127.0.0.1:4318/v1/traces`; empty for none. Credentials come from the variable `OTEL_EXPORTER_OTLP_HEADERS`, as `name=value,name=value`.",
    ).at_restart(),
    setting(
        "traces.one_in",
        Form::Number,
        "1",
        "Of the requests whose caller sends no `traceparent`, one in so many is recorded; a caller who sends one has decided.",
    ).at_restart(),
    setting(
        "traces.service_name",
        Form::Text,
        "\"chancery\"",
        "The name of this server in traces (`service.name`).",
    ).at_restart(),
];
