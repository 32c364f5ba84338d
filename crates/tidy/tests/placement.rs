//! Every file that implements one specification says which, and which settings and metadata it has
//! (ARCHITECTURE.md, "Map").

use chancery_tidy::Repository;

/// The folders of `core` in which one file is one specification, or one part of it.
const FOLDERS: &[&str] = &["rule", "client/authentication", "endpoint", "issue"];

/// Files that only assemble the others of their folder.
const ASSEMBLING: &[&str] = &["rule/mod.rs", "endpoint/mod.rs", "issue/mod.rs"];

const BODIES: &[&str] = &["RFC ", "OpenID Connect", "OIDC ", "OAuth 2.0", "FAPI", "draft-"];

/// What is missing at the head of a file, if anything.
fn complaint(text: &str) -> Option<&'static str> {
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
    let names_it = head.first().is_some_and(|first| BODIES.iter().any(|body| first.starts_with(body)));
    let config = head.iter().position(|line| line.starts_with("Config     "));
    let discovery = head.iter().position(|line| line.starts_with("Discovery  "));
    match (config, discovery) {
        _ if !names_it => {
            Some("the first line names the specification, beginning with RFC, OpenID Connect, OAuth 2.0 …")
        }
        (Some(config), _) if !head.iter().take(config).any(|line| line.contains("section")) => {
            Some("which sections?")
        }
        (Some(config), Some(discovery)) if discovery == config + 1 => None,
        _ => Some("`//! Config     …` and `//! Discovery  …` follow, each `none` when there is none"),
    }
}

#[test]
fn every_specification_names_itself() {
    let repository = Repository::open();
    let mut wrong = Vec::new();
    for path in repository.files().into_iter().filter(|file| file.ends_with(".rs")) {
        let Some(file) = path.strip_prefix("crates/core/src/") else { continue };
        let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
        let placed =
            FOLDERS.iter().any(|folder| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        if placed && !is_test && !ASSEMBLING.contains(&file) {
            wrong.extend(complaint(&repository.read(&path)).map(|missing| format!("{path}: {missing}")));
        }
    }
    assert!(wrong.is_empty(), "heads that are not as section 4 shows:\n{}", wrong.join("\n"));
}

#[test]
fn a_head_is_judged() {
    let good = "//! RFC 7636, Proof Key for Code Exchange (PKCE): sections 4.1 to 4.6.\n\
                //! Config     `[pkce]`\n//! Discovery  code_challenge_methods_supported\n//!\n//! More.\n";
    assert_eq!(complaint(good), None);
    assert!(complaint(&good.replace("RFC 7636, ", "")).is_some());
    assert!(complaint(&good.replace("sections", "pages")).is_some());
    assert!(complaint(&good.replace("//! Config     `[pkce]`\n", "")).is_some());
    assert!(complaint(&good.replace("Discovery", "Announces")).is_some());
}
