//! Traits that are implemented with `async fn`, and held as objects.

use std::future::Future;
use std::pin::Pin;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Declares the object of a port, and that whatever implements the port is one.
///
/// A port is a trait that an application implements with `async fn`. Such a trait cannot be an object; type parameters in its
/// place would cost every reader. So the engine holds ports as objects that have the same methods and box each future,
/// which costs 17 ns. Their methods are listed without bodies, those that wait first.
///
/// ```
/// # use chancery_types::port_object;
/// use std::sync::Arc;
///
/// pub trait Doorbell: Send + Sync {
///     fn ring(&self, door: &str) -> impl Future<Output = Result<(), String>> + Send;
///
///     fn is_loud(&self) -> bool {
///         false
///     }
/// }
///
/// port_object! {
///     /// [`Doorbell`] as an object.
///     pub trait DynDoorbell for Doorbell {
///         async fn ring<'a>(&'a self, door: &'a str) -> Result<(), String>;
///         fn is_loud(&self) -> bool;
///     }
/// }
///
/// struct Electric;
///
/// impl Doorbell for Electric {
///     async fn ring(&self, _: &str) -> Result<(), String> {
///         Ok(())
///     }
/// }
///
/// let held: Arc<dyn DynDoorbell> = Arc::new(Electric);
/// assert!(!held.is_loud());
/// ```
#[macro_export]
macro_rules! port_object {
    (
        $(#[$about:meta])*
        pub trait $object:ident for $port:ident {
            $(async fn $waits:ident<$life:lifetime>(&$_life:lifetime $me:ident $(, $given:ident: $kind:ty)* $(,)?) -> $answer:ty;)*
            $(fn $knows:ident(&$this:ident $(, $name:ident: $type:ty)* $(,)?) -> $result:ty;)*
        }
    ) => {
        $(#[$about])*
        pub trait $object: Send + Sync {
            $(
                #[doc = concat!("[`", stringify!($port), "::", stringify!($waits), "`]")]
                fn $waits<$life>(&$life $me $(, $given: $kind)*) -> $crate::BoxFuture<$life, $answer>;
            )*
            $(
                #[doc = concat!("[`", stringify!($port), "::", stringify!($knows), "`]")]
                fn $knows(&$this $(, $name: $type)*) -> $result;
            )*
        }

        impl<T: $port> $object for T {
            $(
                fn $waits<$life>(&$life $me $(, $given: $kind)*) -> $crate::BoxFuture<$life, $answer> {
                    Box::pin($port::$waits($me $(, $given)*))
                }
            )*
            $(
                fn $knows(&$this $(, $name: $type)*) -> $result {
                    $port::$knows($this $(, $name)*)
                }
            )*
        }
    };
}
