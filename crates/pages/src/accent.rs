//! The colours of the pages, from the one that the operator has chosen: whatever it is, text can be read.

use std::fmt::{self, Write as _};

/// The accent of the pages: the colour of buttons and links.
///
/// ```
/// # mod chancery { pub mod pages { pub use chancery_pages::Accent; } }
/// use chancery::pages::Accent;
/// assert!(Accent::parse("#0b57d0").is_ok());
/// assert!(Accent::parse("blue").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(Colour);

/// A text that is no colour.
#[derive(Clone, PartialEq, Eq)]
pub struct NotAColour(String);

impl fmt::Display for NotAColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" must be a colour of six hexadecimal digits, such as \"#0b57d0\"", self.0)
    }
}

impl std::error::Error for NotAColour {}

chancery_core::error::debug_as_display!(NotAColour);

/// Red, green and blue (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour([u8; 3]);

const WHITE: Colour = Colour([0xff; 3]);
const BLACK: Colour = Colour([0; 3]);

/// The cards and the ground of the style sheet, light and dark.
const LIGHT: [Colour; 2] = [WHITE, Colour([0xf3, 0xf5, 0xf3])];
const DARK: [Colour; 2] = [Colour([0x18, 0x1d, 0x1a]), Colour([0x0f, 0x13, 0x11])];

/// What is said in passing there, light and dark: it stands on a trace of the accent, too.
const QUIET: [Colour; 2] = [Colour([0x57, 0x62, 0x5c]), Colour([0xa2, 0xaf, 0xa8])];

/// WCAG 2.2, success criterion 1.4.3.
const READABLE: f64 = 4.5;

/// WCAG 2.2, success criterion 1.4.11.
const VISIBLE: f64 = 3.0;

impl Accent {
    /// Reads `#rrggbb`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, NotAColour> {
        let wrong = || NotAColour(text.to_owned());
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(wrong)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self(Colour([red, green, blue])))
    }

    /// The rules that stand behind those of the style sheet.
    pub(crate) fn style(self) -> String {
        let mut css = String::new();
        let _ = write!(css, ":root {{ {} }}\n@media (prefers-color-scheme: dark) {{ :root {{ ", self.light());
        let _ = write!(css, "{} }} }}", self.dark());
        css
    }

    /// Buttons have the colour as it is.
    fn light(self) -> Palette {
        let Self(colour) = self;
        Palette::of(colour, colour.trace_on(LIGHT[0], 90, QUIET[0]), colour, BLACK, LIGHT)
    }

    /// On a dark card it has to be bright enough itself.
    fn dark(self) -> Palette {
        let soft = self.0.trace_on(DARK[0], 78, QUIET[1]);
        let bright = self.0.until_readable(WHITE, &[DARK[0], DARK[1], soft]);
        Palette::of(bright, soft, bright, WHITE, DARK)
    }
}

/// The variables of the style sheet that depend on the accent.
struct Palette {
    accent: Colour,
    accent_strong: Colour,
    /// Where a button ends, which shows on a card even if the button has nearly its colour.
    accent_edge: Colour,
    on_accent: Colour,
    link: Colour,
    link_strong: Colour,
    soft: Colour,
}

impl Palette {
    /// `away` is what links differ from the cards by.
    fn of(accent: Colour, soft: Colour, link: Colour, away: Colour, [card, ground]: [Colour; 2]) -> Self {
        let on_accent =
            if accent.contrast(WHITE) >= READABLE { WHITE } else { accent.more_readable_of(WHITE, BLACK) };
        // What a button gets when it is pointed at leads away from its text.
        let strong = if on_accent == WHITE { BLACK } else { WHITE };
        let link = link.until_readable(away, &[card, ground, soft]);
        Self {
            accent,
            accent_strong: accent.mixed(strong, 18),
            accent_edge: if accent.contrast(card) >= VISIBLE { accent } else { link },
            on_accent,
            link,
            link_strong: link.mixed(away, 25),
            soft,
        }
    }
}

impl fmt::Display for Palette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accent, accent_strong, accent_edge, on_accent, link, link_strong, soft } = self;
        write!(f, "--accent: {accent}; --accent-strong: {accent_strong}; --accent-edge: {accent_edge}; ")?;
        write!(f, "--on-accent: {on_accent}; ")?;
        write!(f, "--link: {link}; --link-strong: {link_strong}; --soft: {soft};")
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    /// So many hundredths of the other one in it.
    fn mixed(self, other: Self, hundredths: u16) -> Self {
        let mix = |(mine, its): (u8, u8)| {
            let sum = u16::from(mine) * (100 - hundredths.min(100)) + u16::from(its) * hundredths.min(100);
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        let Self([red, green, blue]) = self;
        let Self([of_red, of_green, of_blue]) = other;
        Self([(red, of_red), (green, of_green), (blue, of_blue)].map(mix))
    }

    /// A trace of it on this card: so many hundredths of the card at least, and as many as this text needs.
    fn trace_on(self, card: Self, hundredths: u16, text: Self) -> Self {
        let mut traces = (hundredths..=100).map(|hundredths| self.mixed(card, hundredths));
        traces.find(|trace| text.contrast(*trace) >= READABLE).unwrap_or(card)
    }

    /// As much of the other one in it as text needs on all of these.
    fn until_readable(self, other: Self, on: &[Self]) -> Self {
        let is_readable = |colour: &Self| on.iter().all(|on| colour.contrast(*on) >= READABLE);
        (0..=100).map(|hundredths| self.mixed(other, hundredths)).find(is_readable).unwrap_or(other)
    }

    fn more_readable_of(self, one: Self, other: Self) -> Self {
        if self.contrast(one) >= self.contrast(other) { one } else { other }
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > other { one / other } else { other / one }
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let Self([red, green, blue]) = self;
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text on the accent, on the accent that is pointed at, and links on everything that they stand on.
    #[test]
    fn text_can_be_read_whatever_the_accent_is() {
        let steps = (0..=255).step_by(15).map(|step| u8::try_from(step).unwrap());
        let steps: Vec<u8> = steps.collect();
        for colour in steps.iter().flat_map(|red| {
            let (steps, red) = (&steps, *red);
            steps.iter().flat_map(move |green| steps.iter().map(move |blue| Colour([red, *green, *blue])))
        }) {
            for (palette, on, quiet) in
                [(Accent(colour).light(), LIGHT, QUIET[0]), (Accent(colour).dark(), DARK, QUIET[1])]
            {
                let Palette { accent, accent_strong, accent_edge, on_accent, link, link_strong, soft } =
                    palette;
                assert!(accent_edge.contrast(on[0]) >= VISIBLE, "{colour}: {accent_edge}");
                for (text, ground) in [(on_accent, accent), (on_accent, accent_strong)] {
                    assert!(text.contrast(ground) >= READABLE, "{colour}: {text} on {ground}");
                }
                assert!(quiet.contrast(soft) >= READABLE, "{colour}: {quiet} on {soft}");
                for text in [link, link_strong] {
                    for ground in on.into_iter().chain([soft]) {
                        assert!(text.contrast(ground) >= READABLE, "{colour}: {text} on {ground}");
                    }
                }
            }
        }
    }

    /// The colours of cards and ground are those of the style sheet.
    #[test]
    fn the_style_sheet_has_the_same_grounds() {
        let sheet = include_str!("../templates/style.css");
        let values = |name: &str| -> Vec<&str> {
            let lines = sheet.lines().filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            lines.map(|value| value.trim_end_matches(';')).collect()
        };
        assert_eq!(values("--card"), [LIGHT[0].to_string(), DARK[0].to_string()]);
        assert_eq!(values("--ground"), [LIGHT[1].to_string(), DARK[1].to_string()]);
        assert_eq!(values("--quiet"), QUIET.map(|colour| colour.to_string()));
    }

    #[test]
    fn only_six_digits_are_a_colour() {
        assert_eq!(Accent::parse("#0B57d0"), Ok(Accent(Colour([0x0b, 0x57, 0xd0]))));
        for wrong in
            ["", "#", "0b57d0", "#0b57d", "#0b57d00", "#0b57dg", "#+b57d0", "blue", "#éé", "#fff", " #0b57d0"]
        {
            assert_eq!(Accent::parse(wrong), Err(NotAColour(wrong.to_owned())), "{wrong}");
        }
    }
}
