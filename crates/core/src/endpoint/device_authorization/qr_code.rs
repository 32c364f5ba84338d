//! RFC 8628 section 3.3.1: the address of the page as a picture, for a device that cannot draw one.
//! Config     none
//! Discovery  none

use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};

use crate::error::Fault;

/// An SVG document without scripts, links and fonts. Its `viewBox` has one unit per module, with the quiet
/// zone.
pub(super) fn svg(address: &str) -> Result<String, Fault> {
    let code = QrCode::with_error_correction_level(address.as_bytes(), EcLevel::M);
    let code = code.map_err(|error| Fault::internal(format!("no QR code of the address: {error}")))?;
    let (dark, light) = (Color("#000"), Color("#fff"));
    Ok(code.render().module_dimensions(1, 1).dark_color(dark).light_color(light).build())
}
