//! An item as its users see it: a signature without bodies, comments and private fields.

use syn::parse::Parser as _;
use syn::{Attribute, Expr, Fields, File, ImplItem, Item, TraitItem};

use super::is_public;

/// An item as its users see it; `None` when nothing of it is for them.
pub(super) fn cleaned(mut item: Item) -> Option<Item> {
    match &mut item {
        Item::Struct(item) => {
            keep(&mut item.attrs);
            if without_private(&mut item.fields) {
                item.attrs.extend(attribute("#[private_fields]"));
            }
        }
        Item::Enum(item) => {
            keep(&mut item.attrs);
            for variant in &mut item.variants {
                keep(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| keep(&mut field.attrs));
            }
        }
        Item::Trait(item) => {
            keep(&mut item.attrs);
            for method in &mut item.items {
                match method {
                    TraitItem::Fn(method) => {
                        keep(&mut method.attrs);
                        if let Some(body) = &mut method.default {
                            body.stmts.clear();
                        }
                    }
                    TraitItem::Const(constant) => keep(&mut constant.attrs),
                    TraitItem::Type(ty) => keep(&mut ty.attrs),
                    _ => {}
                }
            }
        }
        Item::Fn(item) => {
            keep(&mut item.attrs);
            item.block.stmts.clear();
            plain(&mut item.sig);
        }
        Item::Const(item) => {
            keep(&mut item.attrs);
            *item.expr = left_out();
        }
        Item::Static(item) => {
            keep(&mut item.attrs);
            *item.expr = left_out();
        }
        Item::Type(item) => keep(&mut item.attrs),
        Item::Impl(item) => {
            keep(&mut item.attrs);
            if item.trait_.is_some() {
                item.items.clear();
                return Some(Item::Impl(item.clone()));
            }
            item.items.retain_mut(|of| match of {
                ImplItem::Fn(method) => {
                    keep(&mut method.attrs);
                    method.block.stmts.clear();
                    plain(&mut method.sig);
                    is_public(&method.vis)
                }
                ImplItem::Const(constant) => {
                    keep(&mut constant.attrs);
                    constant.expr = left_out();
                    is_public(&constant.vis)
                }
                _ => false,
            });
            if item.items.is_empty() {
                return None;
            }
        }
        _ => return None,
    }
    Some(item)
}

/// Whether there were private fields.
fn without_private(fields: &mut Fields) -> bool {
    let before = fields.len();
    match fields {
        Fields::Named(named) => {
            named.named =
                std::mem::take(&mut named.named).into_iter().filter(|field| is_public(&field.vis)).collect();
        }
        // Without its private fields a tuple would number the others anew.
        Fields::Unnamed(unnamed) if !unnamed.unnamed.iter().all(|field| is_public(&field.vis)) => {
            unnamed.unnamed.clear();
        }
        Fields::Unnamed(_) | Fields::Unit => {}
    }
    fields.iter_mut().for_each(|field| keep(&mut field.attrs));
    fields.len() < before
}

/// Whether an argument is changed inside says nothing to the caller.
fn plain(signature: &mut syn::Signature) {
    for argument in &mut signature.inputs {
        match argument {
            syn::FnArg::Receiver(this) if matches!(this.kind, syn::ReceiverKind::Value) => {
                this.mutability = None
            }
            syn::FnArg::Typed(argument) => {
                if let syn::Pat::Ident(name) = &mut *argument.pat {
                    name.mutability = None;
                }
            }
            syn::FnArg::Receiver(_) => {}
        }
    }
}

/// Leaves the attributes that say something about the use.
fn keep(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| {
        ["derive", "non_exhaustive", "deprecated"].iter().any(|kept| attribute.path().is_ident(kept))
    });
}

fn attribute(text: &str) -> Vec<Attribute> {
    Attribute::parse_outer.parse_str(text).expect("an attribute")
}

fn left_out() -> Expr {
    syn::parse_str("_").expect("an expression")
}

pub(super) fn printed(items: Vec<Item>) -> String {
    let mut file: File = syn::parse_str("").expect("a file");
    file.items = items;
    prettyplease::unparse(&file)
}
