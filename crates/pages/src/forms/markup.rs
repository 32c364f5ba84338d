//! The forms of a page, read as browsers read them, as far as templates write them. Texts stay escaped: whatever a template has
//! filled in is compared with the same, escaped.

/// The forms of a page, and what they would send.
pub(super) struct Markup<'h> {
    pub(super) forms: Vec<Form<'h>>,
    controls: Vec<Control<'h>>,
}

/// A form's tag.
pub(super) struct Form<'h> {
    id: &'h str,
    method: &'h str,
    pub(super) action: &'h str,
}

/// Something with a name that a form sends.
pub(super) struct Control<'h> {
    pub(super) name: &'h str,
    pub(super) value: &'h str,
    /// Whether pressing it sends the form.
    pub(super) sends: bool,
    /// The form around it.
    within: Option<usize>,
    /// The id of the form that it belongs to instead.
    form: Option<&'h str>,
}

impl Form<'_> {
    pub(super) fn is_posted(&self) -> bool {
        self.method.eq_ignore_ascii_case("post")
    }
}

impl<'h> Markup<'h> {
    pub(super) fn read(html: &'h str) -> Self {
        let mut markup = Self { forms: Vec::new(), controls: Vec::new() };
        let (mut within, mut select) = (None, None);
        for tag in tags(html) {
            match tag.name.to_ascii_lowercase().as_str() {
                // A form within a form is none.
                "form" if within.is_none() => {
                    within = Some(markup.forms.len());
                    let text = |name| tag.attribute(name).unwrap_or_default();
                    markup.forms.push(Form {
                        id: text("id"),
                        method: text("method"),
                        action: text("action"),
                    });
                }
                "/form" => within = None,
                kind @ ("input" | "button" | "textarea") => markup.controls.extend(tag.control(kind, within)),
                "select" => select = tag.control("select", within),
                "/select" => select = None,
                "option" => {
                    let value = tag.attribute("value").unwrap_or(tag.text.trim());
                    markup.controls.extend(select.as_ref().map(|of: &Control<'h>| Control { value, ..*of }));
                }
                _ => {}
            }
        }
        markup
    }

    /// What this form sends, if all of it is filled in and pressed.
    pub(super) fn controls(&self, at: usize) -> impl Iterator<Item = &Control<'h>> {
        self.controls.iter().filter(move |control| match control.form {
            Some(id) => self.forms.get(at).is_some_and(|form| form.id == id),
            None => control.within == Some(at),
        })
    }

    /// Name and form of the controls whose form is not there.
    pub(super) fn dead(&self) -> impl Iterator<Item = (&'h str, &'h str)> {
        let of = |control: &Control<'h>| Some((control.name, control.form?));
        let mut dead: Vec<_> = self.controls.iter().filter_map(of).collect();
        dead.retain(|(_, id)| !self.forms.iter().any(|form| form.id == *id));
        dead.dedup();
        dead.into_iter()
    }
}

/// A tag, without its brackets.
struct Tag<'h> {
    name: &'h str,
    attributes: &'h str,
    /// What stands behind it, up to the next tag.
    text: &'h str,
}

impl<'h> Tag<'h> {
    fn attribute(&self, wanted: &str) -> Option<&'h str> {
        let mut rest = self.attributes.trim_start_matches(is_between);
        while !rest.is_empty() {
            let (name, after) = rest.split_at(rest.find(|c| c == '=' || is_between(c)).unwrap_or(rest.len()));
            let (value, after) = match after.trim_start().strip_prefix('=') {
                None => ("", after),
                Some(value) => {
                    let value = value.trim_start();
                    let quoted = ['"', '\'']
                        .into_iter()
                        .find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
                    quoted.unwrap_or_else(|| {
                        value.split_at(value.find(char::is_whitespace).unwrap_or(value.len()))
                    })
                }
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(value);
            }
            rest = after.trim_start_matches(is_between);
        }
        None
    }

    /// What this element sends. One that is disabled sends nothing, nor does a button for scripts.
    fn control(&self, kind: &str, within: Option<usize>) -> Option<Control<'h>> {
        let text = |name| self.attribute(name).unwrap_or_default();
        let sort = text("type").to_ascii_lowercase();
        let is_silent = self.attribute("disabled").is_some() || matches!(sort.as_str(), "button" | "reset");
        let sends = match kind {
            "button" => true,
            _ => matches!(sort.as_str(), "submit" | "image"),
        };
        let (name, value, form) = (text("name"), text("value"), self.attribute("form"));
        (!is_silent).then_some(Control { name, value, sends, within, form })
    }
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || c == '/'
}

/// Every tag outside of comments, scripts and style sheets.
fn tags(html: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            let (_, inside) = rest.split_once('<')?;
            if let Some(comment) = inside.strip_prefix("!--") {
                rest = comment.split_once("-->")?.1;
                continue;
            }
            let mut quote = None;
            let end = inside.find(|c| match (quote, c) {
                (Some(open), _) if c == open => {
                    quote = None;
                    false
                }
                (None, '"' | '\'') => {
                    quote = Some(c);
                    false
                }
                (open, _) => open.is_none() && c == '>',
            })?;
            let (tag, after) = inside.split_at(end);
            rest = after.strip_prefix('>')?;
            let (name, attributes) = tag.split_at(tag.find(char::is_whitespace).unwrap_or(tag.len()));
            let text = rest.split('<').next().unwrap_or_default();
            let is_raw = ["script", "style"].into_iter().find(|raw| name.eq_ignore_ascii_case(raw));
            if let Some(raw) = is_raw {
                let end = rest.match_indices("</").find(|(at, _)| {
                    rest.get(at + 2..at + 2 + raw.len()).is_some_and(|name| name.eq_ignore_ascii_case(raw))
                });
                rest = rest.get(end?.0..)?;
            }
            return Some(Tag { name, attributes, text });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_browsers_read_them() {
        let markup = Markup::read(
            "<!doctype html><!-- <form action=/no> --><style>a>b{}</style><script>\"<form>\"</script>\
             <FORM id=f METHOD='POST' action=\"/x?a=1&amp;b=2\" ><input type=hidden name=token value=\"a>b\"/>\
             <input name = username required><select name=role><option value=a>A<option>B</select>\
             <button name=action value=login>In</button><button type=button name=reveal>\
             <input name=off disabled></form><button form=f name=late></button><button form=g name=dead></button>\
             <input name=nobody>",
        );
        let [form] = markup.forms.as_slice() else { panic!("{}", markup.forms.len()) };
        assert!(form.is_posted() && form.action == "/x?a=1&amp;b=2");
        let sent: Vec<_> = markup.controls(0).map(|one| (one.name, one.value, one.sends)).collect();
        let expected = [
            ("token", "a>b", false),
            ("username", "", false),
            ("role", "a", false),
            ("role", "B", false),
            ("action", "login", true),
            ("late", "", true),
        ];
        assert_eq!(sent, expected);
        assert_eq!(markup.dead().collect::<Vec<_>>(), [("dead", "g")]);
    }

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes() {
        for html in ["<", "<!--", "<form", "<form action=\"x", "<script>", "<script></", "<form ="] {
            assert!(Markup::read(html).forms.is_empty(), "{html}");
        }
    }
}
