//! Contrast (WCAG 2.2, success criteria 1.4.3 and 1.4.11), measured over the style sheet as it is sent: text of 4.5 to 1
//! on everything that it can stand on, borders of fields and buttons and the ring of the focus of 3 to 1, light and
//! dark, whatever accent an operator has chosen.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use chancery_pages::{Accent, Brand, Templates};
use chancery_testkit::TestProvider;

type Colour = [f64; 3];
type Variables = BTreeMap<String, String>;

/// What text stands on: the colour of the text, and of what is behind it. A colour is a variable, or as it is.
const TEXT: &[(&str, &[&str])] = &[
    ("--ink", &["--card", "--ground", "--soft", "--fault-soft"]),
    ("--quiet", &["--card", "--ground", "--soft"]),
    ("--link", &["--card", "--ground", "--soft"]),
    ("--link-strong", &["--card", "--ground", "--soft"]),
    ("--fault", &["--card", "--fault-soft"]),
    ("--on-accent", &["--accent", "--accent-strong"]),
    ("#ffffff", &["--hue"]),
];

/// What shows where something is: edges of fields and buttons, faces, the mark of a wrong field, the ring of the focus.
const EDGES: &[(&str, &[&str])] = &[
    ("--accent-edge", &["--card"]),
    ("--edge", &["--card", "--ground"]),
    ("--fault", &["--card", "--fault-soft"]),
    ("--link", &["--card", "--ground", "--soft"]),
];

/// Lines that only part one thing from the next, which nobody has to see (success criterion 1.4.11, "required to
/// understand the content").
const DECORATION: &[&str] = &["--line", "transparent", "0", "var(--line)"];

/// The style sheet of a page.
fn sheet(accent: Option<&str>) -> String {
    let accent = accent.map(|accent| Accent::parse(accent).expect("a colour"));
    let pages = Templates::built_in().with_brand(Brand { accent, ..Brand::default() });
    let kit = TestProvider::builder().pages(pages).build();
    let ua = kit.user_agent();
    let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let html = tab.answer().text().to_owned();
    let style = html.split_once("<style nonce=").and_then(|(_, rest)| rest.split_once("</style>"));
    let (style, _) = style.unwrap_or_else(|| panic!("no style: {html}"));
    style.split_once('>').map_or_else(String::new, |(_, style)| style.to_owned())
}

/// A rule: its selector, and its declarations. Rules within `@media` stand behind it.
struct Rule<'s> {
    within: &'s str,
    selector: &'s str,
    declarations: Vec<(&'s str, &'s str)>,
}

fn rules(sheet: &str) -> Vec<Rule<'_>> {
    let (mut rules, mut rest, mut within) = (Vec::new(), sheet, "");
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        let head = before.rsplit_once("*/").map_or(before, |(_, head)| head).trim();
        rest = &after[1..];
        if after.starts_with('}') {
            within = "";
        } else if head.starts_with('@') {
            within = head;
        } else {
            let (body, behind) = rest.split_once('}').expect("a rule ends");
            let pairs = body.split(';').filter_map(|declaration| declaration.split_once(':'));
            let declarations = pairs.map(|(name, value)| (name.trim(), value.trim())).collect();
            rules.push(Rule { within, selector: head, declarations });
            rest = behind;
        }
    }
    rules
}

/// The variables of the light scheme, or of the dark one: the last rule counts.
fn variables(rules: &[Rule<'_>], is_dark: bool) -> Variables {
    let mut found = Variables::new();
    for rule in rules.iter().filter(|rule| rule.selector == ":root") {
        let of_dark = rule.within.contains("prefers-color-scheme: dark");
        if of_dark && !is_dark || !rule.within.is_empty() && !of_dark {
            continue;
        }
        found.extend(rule.declarations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }
    found
}

fn colour(variables: &Variables, name: &str) -> Colour {
    let value = variables.get(name).map_or(name, String::as_str);
    let digits = value.strip_prefix('#').filter(|digits| digits.len() == 6);
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let [_, red, green, blue] =
        number.unwrap_or_else(|| panic!("{name}: {value} is no colour")).to_be_bytes();
    [red, green, blue].map(f64::from)
}

/// WCAG 2.2, "relative luminance" and "contrast ratio".
fn contrast(one: Colour, other: Colour) -> f64 {
    let luminance = |colour: Colour| {
        let [red, green, blue] = colour.map(|value| {
            let value = value / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    if one > other { one / other } else { other / one }
}

/// What does not contrast enough.
fn faults(rules: &[Rule<'_>], is_dark: bool) -> Vec<String> {
    let variables = variables(rules, is_dark);
    let scheme = if is_dark { "dark" } else { "light" };
    let hues: Vec<&str> = hues(rules);
    let mut faults = Vec::new();
    for (table, least) in [(TEXT, 4.5), (EDGES, 3.0)] {
        for (front, grounds) in table {
            let grounds = grounds
                .iter()
                .flat_map(|ground| if *ground == "--hue" { hues.clone() } else { vec![*ground] });
            for ground in grounds {
                let ratio = contrast(colour(&variables, front), colour(&variables, ground));
                if ratio < least {
                    faults.push(format!("{scheme}: {front} on {ground} is {ratio:.2}, less than {least}"));
                }
            }
        }
    }
    faults
}

/// The colours of clients, on which the first letter of their name stands in white.
fn hues<'s>(rules: &[Rule<'s>]) -> Vec<&'s str> {
    let all = rules.iter().flat_map(|rule| &rule.declarations);
    all.filter(|(name, _)| *name == "--hue").map(|(_, value)| *value).collect()
}

#[test]
fn everything_can_be_read() {
    let sheet = sheet(None);
    let rules = rules(&sheet);
    assert_eq!(hues(&rules).len(), 12);
    for is_dark in [false, true] {
        assert_eq!(faults(&rules, is_dark), [""; 0]);
    }
}

/// An operator may choose any colour.
#[test]
fn everything_can_be_read_whatever_the_accent_is() {
    for accent in [
        "#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#00ffff", "#ff00ff", "#808080",
        "#0b57d0", "#f3f5f3", "#181d1a", "#777777", "#17604d",
    ] {
        let sheet = sheet(Some(accent));
        let rules = rules(&sheet);
        for is_dark in [false, true] {
            assert_eq!(faults(&rules, is_dark), [""; 0], "{accent}");
        }
    }
}

/// No rule uses a colour that is not in the tables above, so that none goes by unmeasured.
#[test]
fn every_colour_is_measured() {
    let sheet = sheet(None);
    let texts: Vec<&str> = TEXT.iter().map(|(name, _)| *name).collect();
    let edges: Vec<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    let grounds: Vec<&str> = TEXT.iter().flat_map(|(_, grounds)| grounds.iter().copied()).collect();
    let plain = |value: &str| value.trim_start_matches("var(").trim_end_matches(')').to_owned();
    let mut unknown = Vec::new();
    for Rule { selector, declarations, .. } in rules(&sheet).iter().filter(|rule| rule.selector != ":root") {
        for (name, value) in declarations {
            let name_of = plain(value);
            let is_measured = match *name {
                "color" => texts.contains(&&*name_of) || matches!(name_of.as_str(), "inherit"),
                "background" => {
                    grounds.contains(&&*name_of)
                        || matches!(name_of.as_str(), "none" | "#ffffff" | "--hue, var(--soft")
                }
                "border-color" => edges.contains(&&*name_of) || matches!(name_of.as_str(), "ButtonText"),
                "outline" => value.contains("var(--link)") && value.starts_with("3px"),
                _ if name.starts_with("border") && value.contains("solid") => {
                    let last = value.rsplit(' ').next().unwrap_or_default();
                    DECORATION.contains(&last) || last == "solid" || edges.contains(&&*plain(last))
                }
                _ => true,
            };
            if !is_measured {
                unknown.push(format!("{selector} {{ {name}: {value} }}"));
            }
        }
    }
    assert_eq!(unknown, [""; 0]);
}

/// The measure itself: black on white, and the grey that WCAG's own examples draw the line at.
#[test]
fn the_measure_is_the_standards() {
    let none = Variables::new();
    let ratio = |one: &str, other: &str| contrast(colour(&none, one), colour(&none, other));
    assert!((ratio("#000000", "#ffffff") - 21.0).abs() < 0.001);
    assert!(ratio("#767676", "#ffffff") >= 4.5 && ratio("#777777", "#ffffff") < 4.5);
    let sheet = ":root { --card: #ffffff; --edge: #bbbbbb; }";
    let rules = rules(sheet);
    assert!(
        contrast(colour(&variables(&rules, false), "--edge"), colour(&variables(&rules, false), "--card"))
            < 3.0
    );
}
