//! What is wrong with a configuration is said at once, before anything is served.

use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::TestProvider;

/// CONF-09: every complaint at once, from the configuration and from the keys.
#[test]
fn all_complaints_at_once() {
    let own = r#"{"session":{"idle":"0s"},"routes":{"token":"x"},"id_token":{"lifetime":"0s"}}"#;
    let builder = TestProvider::builder().own_keys(&[Es256]);
    let builder = builder.configure(|config| *config = serde_json::from_str(own).expect("a configuration"));
    let complaints = builder.try_build().err().expect("it is not built");
    let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
    assert_eq!(settings, ["routes.token", "id_token.lifetime", "session.idle", "keys"]);
}

/// Settings that contradict each other, or that nothing could be done with.
#[test]
fn what_cannot_work_is_not_built() {
    for (own, setting) in [
        (r#"{"session":{"idle":"2d","absolute":"1d"}}"#, "session.idle"),
        (r#"{"sign_up":{"network_quota":0}}"#, "sign_up.network_quota"),
        (r#"{"sign_up":{"offered":true,"network_quota":0}}"#, "sign_up.network_quota"),
    ] {
        let builder = TestProvider::builder();
        let builder =
            builder.configure(|config| *config = serde_json::from_str(own).expect("a configuration"));
        let complaints = builder.try_build().err().expect("it is not built");
        let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        assert_eq!(settings, [setting], "{own}");
    }
}
