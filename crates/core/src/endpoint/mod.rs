//! One file per endpoint, in the order of its standard.

pub mod authorization;

pub mod token;
