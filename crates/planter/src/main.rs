//! Plants the faults that `cargo mutants --list --json` names into a copy of the tree, all at once and each
//! behind a switch, so that a crate is built once and not once per fault. `./mutants` runs it.
//!
//! `planter TREE CRATE LIST DROPPED` changes the files below TREE. CRATE is the folder of the crate in it,
//! whose `planted::on` is the switch: the environment variable `PLANTED` holds the number of the one fault
//! that is on, counted from 1 in the order of LIST. DROPPED is a JSON array of those that did not compile. On
//! standard output is, as JSON, which are planted, and which bytes of which file belong to which.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool for tests fails by panicking"
)]

mod edits;
mod visitor;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::visitor::{Fault, Visitor};

/// What every file of the crate asks. While no fault is on, `PLANTED_REACH` may name a file: the numbers of
/// the switches that a test comes by are written to it.
const SWITCH: &str = r#"//! Faults behind switches.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "not written by hand")]

use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

static ON: OnceLock<usize> = OnceLock::new();
static REACHED: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];
static REACH: OnceLock<Option<Mutex<File>>> = OnceLock::new();

pub fn on(fault: usize) -> bool {
    let on = *ON.get_or_init(|| std::env::var("PLANTED").ok().and_then(|text| text.parse().ok()).unwrap_or(0));
    if on == 0 && !REACHED[fault].swap(true, Ordering::Relaxed) {
        let file = REACH.get_or_init(|| {
            let path = std::env::var("PLANTED_REACH").ok()?;
            File::options().append(true).create(true).open(path).ok().map(Mutex::new)
        });
        if let Some(file) = file {
            let _ = writeln!(file.lock().unwrap(), "{fault}");
        }
    }
    on == fault
}
"#;

fn read(path: &str) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The faults of the list by file and by the place where each begins.
fn faults(list: &Value, dropped: &HashSet<usize>) -> BTreeMap<String, HashMap<(usize, usize), Vec<Fault>>> {
    let mut by_file: BTreeMap<String, HashMap<(usize, usize), Vec<Fault>>> = BTreeMap::new();
    for (n, fault) in list.as_array().expect("a list").iter().enumerate() {
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number");
        let text = |name: &str| fault[name].as_str().expect("text").to_owned();
        let start = &fault["span"]["start"];
        // Columns are counted from 1 in the list and from 0 by the parser.
        let place = (number(&start["line"]), number(&start["column"]) - 1);
        let at_place = by_file.entry(text("file")).or_default();
        if !dropped.contains(&(n + 1)) {
            let fault = Fault { id: n + 1, genre: text("genre"), replacement: text("replacement") };
            at_place.entry(place).or_default().push(fault);
        }
    }
    by_file
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, tree, folder, list, dropped] = arguments.as_slice() else {
        panic!("planter TREE CRATE LIST DROPPED")
    };
    let dropped = read(dropped);
    let dropped = dropped.as_array().expect("a list").iter().filter_map(Value::as_u64);
    let dropped: HashSet<usize> = dropped.filter_map(|id| usize::try_from(id).ok()).collect();
    let (mut planted, mut places) = (HashSet::new(), Vec::new());
    for (file, faults) in faults(&read(list), &dropped) {
        let path = Path::new(tree).join(&file);
        let text = fs::read_to_string(&path).expect("a file of the list");
        let visitor = Visitor::visit(&text, faults);
        planted.extend(visitor.planted);
        let (changed, marks) = edits::apply(&text, visitor.edits, &visitor.bodies);
        let named = |mark: edits::Mark| json!({"file": file, "faults": mark.faults, "body": mark.is_body, "from": mark.from, "to": mark.to});
        places.extend(marks.into_iter().map(named));
        fs::write(&path, changed).expect("the copy can be written");
    }
    let root = Path::new(tree).join(folder).join("src");
    let lib = root.join("lib.rs");
    let before = fs::read_to_string(&lib).expect("a library");
    fs::write(&lib, before + "\n/// Faults behind switches.\npub mod planted;\n")
        .expect("the copy can be written");
    fs::write(root.join("planted.rs"), SWITCH).expect("the copy can be written");
    println!("{}", json!({"planted": planted, "places": places}));
}
