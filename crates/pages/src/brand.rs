//! Whose pages these are: name, logo, colour and links of the operator.

use chancery_http::{Around, PageFile};
use minijinja::context;
use minijinja::value::Value;

use crate::Accent;

/// What the pages show of whoever runs them. By default nothing but the host of the issuer.
///
/// ```
/// # mod chancery { pub mod pages { pub use chancery_pages::{Accent, Brand, Templates}; } }
/// use chancery::pages::{Accent, Brand, Templates};
/// let brand = Brand {
///     name: Some("Example Inc.".into()),
///     accent: Accent::parse("#0b57d0").ok(),
///     help: Some("https://example.org/help".into()),
///     ..Brand::default()
/// };
/// let pages = Templates::built_in().with_brand(brand);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// The name of the service, above the pages and in their titles.
    pub name: Option<String>,
    /// Its logo, above the pages.
    pub logo: Option<Logo>,
    /// The colour of buttons and links.
    pub accent: Option<Accent>,
    /// Where people find help.
    pub help: Option<String>,
    /// What becomes of what people say about themselves.
    pub privacy: Option<String>,
    /// Who runs the service.
    pub imprint: Option<String>,
    /// Where people go who have forgotten their password.
    pub forgot_password: Option<String>,
    /// Where people make an account, if it is not a page of this service (`[sign_up]`).
    pub create_account: Option<String>,
}

/// A picture that the pages show: PNG, JPEG, WebP or SVG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    name: String,
    file: PageFile,
}

/// What begins with what.
const PICTURES: [(&[u8], &str, &str); 2] =
    [(b"\x89PNG\r\n\x1a\n", "png", "image/png"), (b"\xff\xd8\xff", "jpg", "image/jpeg")];

/// The most octets of a logo: it is loaded with the first page.
const LARGEST: usize = 256 * 1024;

impl Logo {
    /// The picture in these octets.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence about the file.
    pub fn new(content: impl Into<Vec<u8>>) -> Result<Self, String> {
        let content: Vec<u8> = content.into();
        if content.len() > LARGEST {
            return Err(format!(
                "has {} octets, and at most {LARGEST} are served with each page",
                content.len()
            ));
        }
        let (ending, media_type) = kind(&content).ok_or("must be a PNG, JPEG, WebP or SVG picture")?;
        let name = format!("logo-{:016x}.{ending}", fingerprint(&content));
        Ok(Self { name, file: PageFile::new(media_type, content) })
    }
}

fn kind(content: &[u8]) -> Option<(&'static str, &'static str)> {
    let found = PICTURES.iter().find(|(magic, _, _)| content.starts_with(magic));
    if let Some((_, ending, media_type)) = found {
        return Some((ending, media_type));
    }
    if content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        return Some(("webp", "image/webp"));
    }
    let text = std::str::from_utf8(content).ok()?.trim_start_matches('\u{feff}').trim_start();
    let is_svg = text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg");
    is_svg.then_some(("svg", "image/svg+xml"))
}

impl Brand {
    /// As templates see it.
    pub(crate) fn values(&self, around: &Around<'_>) -> Value {
        let logo = self.logo.as_ref().map(|logo| format!("{}/{}", around.files, logo.name));
        context! {
            name => self.name.as_deref(),
            logo,
            style => self.accent.map_or_else(String::new, Accent::style),
            help => self.help.as_deref(),
            privacy => self.privacy.as_deref(),
            imprint => self.imprint.as_deref(),
            forgot_password => self.forgot_password.as_deref(),
            create_account => self.create_account.as_deref(),
        }
    }

    pub(crate) fn file(&self, name: &str) -> Option<PageFile> {
        let logo = self.logo.as_ref().filter(|logo| logo.name == name)?;
        Some(logo.file.clone())
    }
}

/// A number of these octets, always the same one, that others hardly share (FNV-1a).
pub(crate) fn fingerprint(content: &[u8]) -> u64 {
    content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_picture() {
        for (content, ending, media_type) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], ".png", "image/png"),
            (b"\xff\xd8\xff\xe0", ".jpg", "image/jpeg"),
            (b"RIFF\0\0\0\0WEBPVP8 ", ".webp", "image/webp"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ".svg", "image/svg+xml"),
            (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", ".svg", "image/svg+xml"),
        ] {
            let logo = Logo::new(content).unwrap();
            assert!(logo.name.ends_with(ending), "{}", logo.name);
            assert_eq!(&*logo.file.media_type, media_type);
        }
        for wrong in [&b""[..], b"GIF89a", b"<html><svg>", b"<?xml?><html/>", b"%PDF", b"RIFF\0\0\0\0WAVE"] {
            assert!(Logo::new(wrong).is_err(), "{wrong:?}");
        }
        assert!(Logo::new([b"<svg>".as_slice(), &[b' '; LARGEST]].concat()).unwrap_err().contains("octets"));
    }
}
