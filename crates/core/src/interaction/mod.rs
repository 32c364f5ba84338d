//! What we need of the person.

pub mod view;
