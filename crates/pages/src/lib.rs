//! The built-in pages: one calm design, English and German, no script, nothing loaded from elsewhere.
//!
//! ```
//! use chancery_pages::Templates;
//! let pages = Templates::built_in();
//! assert_eq!(chancery_http::Pages::locales(&pages), ["en", "de"]);
//! ```

mod accent;
pub use accent::{Accent, NotAColour};

mod brand;
pub use brand::{Brand, Logo};

mod messages;
mod catalogues;
mod commands;
mod context;
mod folder;
mod forms;
mod samples;

mod templates;
pub use templates::Templates;
