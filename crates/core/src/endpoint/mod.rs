//! One file per endpoint, in the order of its standard.

pub mod authorization;

pub mod introspection;

pub mod revocation;

pub mod token;

pub mod userinfo;
