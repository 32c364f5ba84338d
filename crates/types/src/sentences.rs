//! Errors are read by people, in whichever way they are printed.

/// Prints these errors as their sentences in either way. A program whose `main` returns an error prints its `Debug`, and so
/// does `unwrap`.
///
/// ```
/// # use chancery_types::debug_as_display;
/// use std::fmt;
///
/// struct NoTime;
///
/// impl fmt::Display for NoTime {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("there is no time left")
///     }
/// }
///
/// debug_as_display!(NoTime);
/// assert_eq!(format!("{NoTime:?}"), "there is no time left");
/// ```
#[macro_export]
macro_rules! debug_as_display {
    ($($error:ty),+ $(,)?) => {
        $(impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        })+
    };
}
