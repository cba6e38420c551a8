//! Conditions and updates of DynamoDB, as far as the job table uses them.

use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Item in DynamoDB's JSON.
pub(crate) type Item = Map<String, Value>;

/// Reader of an expression, with the names and values of its placeholders.
struct Expression<'a> {
    tokens: VecDeque<String>,
    names: &'a Value,
    values: &'a Value,
}

/// Returns true if the item, or its absence, meets the condition of a request.
pub(crate) fn meets(item: Option<&Item>, condition: &str, request: &Value) -> bool {
    let mut expression = Expression::of(condition, request);
    assert!(!expression.has_redundant_parentheses(), "DynamoDB refuses {condition}");
    let empty = Item::new();
    let met = expression.disjunction(item.unwrap_or(&empty));
    assert!(expression.tokens.is_empty(), "not understood: {condition}");
    met
}

/// Performs an update of a request; returns the old values of the changed attributes.
pub(crate) fn update(item: &mut Item, expression: &str, request: &Value) -> Item {
    let mut expression = Expression::of(expression, request);
    let (before, mut old) = (item.clone(), Item::new());
    let mut note = |name: &str| {
        if let Some(value) = before.get(name) {
            old.insert(name.to_owned(), value.clone());
        }
    };
    while let Some(clause) = expression.tokens.pop_front() {
        loop {
            let name = expression.name();
            note(&name);
            if clause == "ADD" {
                let mut all = expression.operand(&before).unwrap();
                let known = before.get(&name).and_then(|known| known["SS"].as_array().cloned()).unwrap_or_default();
                let texts = all["SS"].as_array_mut().unwrap();
                let new: Vec<Value> = known.into_iter().filter(|text| !texts.contains(text)).collect();
                texts.extend(new);
                item.insert(name, all);
            } else if clause == "SET" {
                expression.expect("=");
                let value = expression.operand(&before);
                item.insert(name, value.unwrap());
            } else {
                assert_eq!(clause, "REMOVE");
                item.remove(&name);
            }
            if expression.tokens.front().map(String::as_str) != Some(",") {
                break;
            }
            expression.expect(",");
        }
    }
    old
}

impl<'a> Expression<'a> {
    fn of(text: &str, request: &'a Value) -> Self {
        let mut spaced = String::new();
        for c in text.chars() {
            match c {
                '(' | ')' | ',' => spaced.extend([' ', c, ' ']),
                _ => spaced.push(c),
            }
        }
        let tokens = spaced.split_whitespace().map(str::to_owned).collect();
        Self { tokens, names: &request["ExpressionAttributeNames"], values: &request["ExpressionAttributeValues"] }
    }

    /// Returns true if two pairs of parentheses enclose the same expression.
    fn has_redundant_parentheses(&self) -> bool {
        let mut open: Vec<usize> = Vec::new();
        let mut pairs = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            match token.as_str() {
                "(" => open.push(at),
                ")" => pairs.extend(open.pop().map(|opened| (opened, at))),
                _ => {}
            }
        }
        pairs.iter().any(|(begin, end)| pairs.contains(&(begin + 1, end.wrapping_sub(1))))
    }

    fn next(&mut self) -> String {
        self.tokens.pop_front().expect("the expression goes on")
    }

    fn expect(&mut self, token: &str) {
        assert_eq!(self.next(), token);
    }

    fn is_next(&self, token: &str) -> bool {
        self.tokens.front().is_some_and(|next| next == token)
    }

    fn name(&mut self) -> String {
        let token = self.next();
        if token.starts_with('#') { self.names[&token].as_str().unwrap().to_owned() } else { token }
    }

    fn operand(&mut self, item: &Item) -> Option<Value> {
        if self.is_next("if_not_exists") {
            self.next();
            self.expect("(");
            let name = self.name();
            self.expect(",");
            let otherwise = self.operand(item);
            self.expect(")");
            return item.get(&name).cloned().or(otherwise);
        }
        if self.tokens.front().unwrap().starts_with(':') {
            let placeholder = self.next();
            let value = &self.values[&placeholder];
            assert!(!value.is_null(), "no value for {placeholder}");
            return Some(value.clone());
        }
        let name = self.name();
        item.get(&name).cloned()
    }

    fn disjunction(&mut self, item: &Item) -> bool {
        let mut met = self.conjunction(item);
        while self.is_next("OR") {
            self.next();
            met |= self.conjunction(item);
        }
        met
    }

    fn conjunction(&mut self, item: &Item) -> bool {
        let mut met = self.comparison(item);
        while self.is_next("AND") {
            self.next();
            met &= self.comparison(item);
        }
        met
    }

    fn comparison(&mut self, item: &Item) -> bool {
        if self.is_next("(") {
            self.next();
            let met = self.disjunction(item);
            self.expect(")");
            return met;
        }
        for (function, expected) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.is_next(function) {
                self.next();
                self.expect("(");
                let name = self.name();
                self.expect(")");
                return item.contains_key(&name) == expected;
            }
        }
        let left = self.operand(item);
        let operator = self.next();
        let right = self.operand(item);
        compare(left.as_ref(), &operator, right.as_ref())
    }
}

/// Compares two values of one type. Comparisons with a missing attribute, or of different types, are false.
fn compare(left: Option<&Value>, operator: &str, right: Option<&Value>) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return false };
    let number = |value: &Value| value["N"].as_str().map(|text| text.parse::<i128>().unwrap());
    let order = match (number(left), number(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left["S"].as_str().zip(right["S"].as_str()).map(|(left, right)| left.cmp(right)),
    };
    match operator {
        "=" => left == right,
        "<" => order.is_some_and(std::cmp::Ordering::is_lt),
        "<=" => order.is_some_and(std::cmp::Ordering::is_le),
        other => panic!("the operator {other} is not known"),
    }
}
