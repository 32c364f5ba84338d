//! Where each fault of a file stands, and how it is put behind its switch without changing what the file does
//! while that is off.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use proc_macro2::{LineColumn, Span};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::edits::{Edit, Order};

/// A fault of the list.
#[derive(Clone)]
pub(crate) struct Fault {
    pub(crate) id: usize,
    /// As cargo-mutants calls it.
    pub(crate) genre: String,
    /// What stands there instead.
    pub(crate) replacement: String,
}

pub(crate) struct Visitor<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    faults: HashMap<(usize, usize), Vec<Fault>>,
    pub(crate) edits: Vec<Edit>,
    pub(crate) planted: HashSet<usize>,
    pub(crate) bodies: Vec<(usize, usize)>,
}

impl<'t> Visitor<'t> {
    /// Everything that has to be written for these faults.
    pub(crate) fn visit(text: &'t str, faults: HashMap<(usize, usize), Vec<Fault>>) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(n, _)| n + 1)).collect();
        let (edits, planted, bodies) = (Vec::new(), HashSet::new(), Vec::new());
        let mut visitor = Self { text, lines, faults, edits, planted, bodies };
        visitor.visit_file(&syn::parse_file(text).expect("a file that compiles"));
        visitor
    }

    fn byte(&self, place: LineColumn) -> usize {
        let start = self.lines[place.line - 1];
        let line = &self.text[start..];
        start + line.char_indices().nth(place.column).map_or(line.len(), |(n, _)| n)
    }

    fn range(&self, span: Span) -> (usize, usize) {
        (self.byte(span.start()), self.byte(span.end()))
    }

    fn faults_at(&self, span: Span, genre: &str) -> Vec<Fault> {
        let start = span.start();
        let all = self.faults.get(&(start.line, start.column)).into_iter().flatten();
        all.filter(|fault| fault.genre == genre).cloned().collect()
    }

    fn write(&mut self, (from, to): (usize, usize), order: Order, text: String, faults: &[usize]) {
        self.edits.push(Edit { from, to, order, text, faults: faults.to_vec() });
        self.planted.extend(faults);
    }

    fn wrap(&mut self, span: Span, before: &str, after: &str, faults: &[usize]) {
        let (from, to) = self.range(span);
        self.write((from, from), Order::Open(Reverse(to - from)), before.to_owned(), faults);
        self.write((to, to), Order::Close(to - from), after.to_owned(), faults);
    }

    fn replace(&mut self, span: Span, text: &str, faults: &[usize]) {
        self.write(self.range(span), Order::Alone, text.to_owned(), faults);
    }

    /// A function that returns something else at once.
    fn body(&mut self, block: &syn::Block) {
        let braces = block.brace_token.span;
        let (open, close) = (self.byte(braces.open().end()), self.byte(braces.close().start()));
        self.bodies.push((open, close));
        let first =
            block.stmts.first().map(|first| self.faults_at(first.span(), "FnValue")).unwrap_or_default();
        let all = if first.is_empty() { self.faults_at(block.span(), "FnValue") } else { first };
        for Fault { id, replacement, .. } in all {
            let text = format!(" if crate::planted::on({id}) {{ return {replacement}; }} ");
            self.write((open, open), Order::Alone, text, &[id]);
        }
    }
}

/// One of several operators, chosen by the switches.
fn choice(faults: &[Fault], with: impl Fn(&str) -> String, own: &str) -> String {
    let chosen = |fault: &Fault| {
        format!("if crate::planted::on({}) {{ {} }} else ", fault.id, with(&fault.replacement))
    };
    faults.iter().map(chosen).collect::<String>() + &format!("{{ {} }}", with(own))
}

/// Whether this is a chain of conditions with a pattern in it, which cannot stand in brackets.
fn has_pattern(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_pattern(&binary.left) || has_pattern(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.body(&item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.body(&item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        item.default.iter().for_each(|block| self.body(block));
        visit::visit_trait_item_fn(self, item);
    }

    /// Neither side is evaluated twice, nor the right one when it would not have been.
    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let operator = binary.op.span();
        let faults = self.faults_at(operator, "BinaryOperator");
        let ids: Vec<usize> = faults.iter().map(|fault| fault.id).collect();
        let (from, to) = self.range(operator);
        let own = self.text[from..to].to_owned();
        if let Some(id) = ids.first().filter(|_| !has_pattern(&binary.left) && !has_pattern(&binary.right)) {
            let on = format!("crate::planted::on({id})");
            match own.as_str() {
                "&&" => {
                    self.wrap(binary.span(), "(if (", " })", &ids);
                    self.replace(operator, &format!(") == {on} {{ {on} }} else {{ "), &ids);
                }
                "||" => {
                    self.wrap(binary.span(), "(if (", " })", &ids);
                    self.replace(operator, &format!(") != {on} {{ !{on} }} else {{ "), &ids);
                }
                "==" | "!=" | "<" | ">" | "<=" | ">=" => {
                    let compared = choice(&faults, |operator| format!("*l {operator} *r"), &own);
                    self.wrap(binary.span(), "(match (&(", &format!(")) {{ (l, r) => {compared} }})"), &ids);
                    self.replace(operator, "), &(", &ids);
                }
                _ if own.ends_with('=') => {
                    let (from, to) = self.range(binary.left.span());
                    let left = self.text[from..to].to_owned();
                    let assigned = choice(&faults, |operator| format!("{left} {operator} r;"), &own);
                    let (_, end) = self.range(operator);
                    self.write((from, end), Order::Alone, String::new(), &ids);
                    self.wrap(
                        binary.right.span(),
                        "(match (",
                        &format!(") {{ r => {{ {assigned} }} }})"),
                        &ids,
                    );
                }
                _ => {
                    let computed = choice(&faults, |operator| format!("l {operator} r"), &own);
                    self.wrap(binary.span(), "(match ((", &format!(")) {{ (l, r) => {computed} }})"), &ids);
                    self.replace(operator, "), (", &ids);
                }
            }
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        for Fault { id, .. } in self.faults_at(unary.op.span(), "UnaryOperator") {
            let on = format!("crate::planted::on({id})");
            if matches!(unary.op, syn::UnOp::Not(_)) {
                self.wrap(unary.span(), &format!("({on} ^ ("), "))", &[id]);
            } else {
                self.replace(unary.op.span(), "", &[id]);
                self.wrap(
                    unary.expr.span(),
                    "(match (",
                    &format!(") {{ l => if {on} {{ l }} else {{ -l }} }})"),
                    &[id],
                );
            }
        }
        visit::visit_expr_unary(self, unary);
    }

    /// An arm that is deleted is one whose guard is false.
    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let mut ids: Vec<usize> =
            self.faults_at(arm.span(), "MatchArm").iter().map(|fault| fault.id).collect();
        let is_there: String = ids.iter().map(|id| format!("!crate::planted::on({id}) && ")).collect();
        match &arm.pat {
            syn::Pat::Guard(pattern) => {
                let guards = self.faults_at(pattern.guard.span(), "MatchArmGuard");
                ids.extend(guards.iter().map(|fault| fault.id));
                let switch = |fault: &Fault| match fault.replacement.as_str() {
                    "true" => format!("crate::planted::on({}) || ", fault.id),
                    _ => format!("!crate::planted::on({}) && ", fault.id),
                };
                // `true` first: it is asked before everything that can say no.
                let (always, never): (Vec<&Fault>, Vec<&Fault>) =
                    guards.iter().partition(|fault| fault.replacement == "true");
                let switches: String = always.into_iter().chain(never).map(switch).collect();
                let before = format!("{is_there}({switches}(");
                if !ids.is_empty() && !has_pattern(&pattern.guard) {
                    self.wrap(pattern.guard.span(), &before, "))", &ids);
                }
            }
            pattern if !ids.is_empty() => {
                let (_, end) = self.range(pattern.span());
                self.write((end, end), Order::Alone, format!(" if {is_there}true "), &ids);
            }
            _ => {}
        }
        visit::visit_arm(self, arm);
    }
}
