//! Suggestions for misspelt names.

/// The candidate with the smallest edit distance, if that is small enough.
///
/// ```
/// # use chancery_types::nearest::nearest;
/// assert_eq!(nearest("isuer", ["issuer", "realm"]), Some("issuer"));
/// ```
#[must_use]
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Something of what was typed is left, or any short name would be near any other.
    let length = typed.chars().count();
    let far = (length.div_ceil(3) + 1).min(length.saturating_sub(1));
    let scored = candidates.into_iter().map(|candidate| (distance(typed, candidate), candidate));
    scored
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What a message about an unknown name ends with: `; did you mean issuer?`, or nothing.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, candidates).map(|near| format!("; did you mean {near}?")).unwrap_or_default()
}

/// The Levenshtein distance, computed row by row.
#[must_use]
pub fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, l) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        let mut next = vec![before];
        for (r, above) in right.iter().zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(l != *r)).min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in
            [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("isuer", "issuer", 1)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn what_is_far_from_everything_has_no_nearest() {
        assert_eq!(nearest("isuer", ["issuer", "realm"]), Some("issuer"));
        assert_eq!(nearest("listen_adress", ["listen_address", "listen"]), Some("listen_address"));
        assert_eq!(nearest("quux", ["issuer", "realm"]), None);
        assert_eq!(nearest("fr", ["en", "de"]), None);
        assert_eq!(nearest("", ["a"]), None);
    }
}
