//! The places that ARCHITECTURE.md names exist ("Where each specification is").

use chancery_tidy::Repository;

/// The paths of the table below this heading: what stands between backticks in its last column.
fn places(text: &str, heading: &str) -> Vec<String> {
    let section = text.split_once(heading).map_or("", |(_, rest)| rest.split("\n## ").next().unwrap_or(rest));
    let rows = section.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    let last = rows.filter_map(|row| row.rsplit('|').next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_specification_is_where_the_table_says() {
    let repository = Repository::open();
    let files = repository.files();
    let places = places(&repository.read("ARCHITECTURE.md"), "## Where each specification is");
    assert!(places.len() > 30, "the table was not found");
    let is_there = |place: &String| {
        let path = format!("crates/{place}");
        files.iter().any(|file| *file == path || (path.ends_with('/') && file.starts_with(&path)))
    };
    let missing: Vec<_> = places.iter().filter(|place| !is_there(place)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:#?}");
}

#[test]
fn a_table_is_read() {
    let text = "# A\n\n## B\n\nText with `code`.\n\n| what | where |\n|---|---|\n| `x` | `a.rs`, `b/` |\n\n## C\n| d | `e.rs` |\n";
    assert_eq!(places(text, "## B"), ["a.rs", "b/"]);
}
