//! Changes of a text that may stand inside each other.

/// A text that is written before a byte, or in the place of some bytes.
pub(crate) struct Edit {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) order: Order,
    pub(crate) text: String,
    /// Whose it is.
    pub(crate) faults: Vec<usize>,
}

/// At one byte, what closes comes before what opens; the inner closes first and the outer opens first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// After an expression of this length.
    Close(usize),
    /// Before one of this length.
    Open(std::cmp::Reverse<usize>),
    /// In the place of something, or by itself.
    Alone,
}

/// Bytes of the changed text, and whose they are.
pub(crate) struct Mark {
    pub(crate) faults: Vec<usize>,
    /// The body of a function, with all faults in it; otherwise the text of an edit.
    pub(crate) is_body: bool,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// The changed text. `bodies` are the insides of functions as they were.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>, bodies: &[(usize, usize)]) -> (String, Vec<Mark>) {
    edits.sort_by_key(|edit| (edit.from, edit.order));
    let (mut out, mut done, mut marks) = (String::new(), 0, Vec::new());
    // A byte of the old text, and where it stands in the new one.
    let mut moved = vec![(0, 0)];
    for edit in &edits {
        // Inside of what was replaced already.
        if edit.from < done {
            continue;
        }
        out += &text[done..edit.from];
        let from = out.len();
        out += &edit.text;
        marks.push(Mark { faults: edit.faults.clone(), is_body: false, from, to: out.len() });
        done = edit.to;
        moved.push((edit.to, out.len()));
    }
    out += &text[done..];
    let now_at = |old: usize, is_start: bool| {
        let before = moved.iter().rev().find(|(from, _)| if is_start { *from < old } else { *from <= old });
        before.map_or(old, |(from, to)| to + (old - from))
    };
    for (open, close) in bodies {
        let inside = edits.iter().filter(|edit| edit.from >= *open && edit.from <= *close);
        let mut faults: Vec<usize> = inside.flat_map(|edit| edit.faults.iter().copied()).collect();
        faults.sort_unstable();
        faults.dedup();
        marks.push(Mark { faults, is_body: true, from: now_at(*open, true), to: now_at(*close, false) });
    }
    (out, marks)
}
