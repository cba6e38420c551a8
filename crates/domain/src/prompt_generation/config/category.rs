//! `category_definitions.json`: a list of categories.

use super::file::ConfigFile;
use super::texts::{required_line, required_text, required_texts, texts};
use crate::input::Fields;
use crate::problem::Problem;
use serde_json::Value;
use std::collections::HashMap;

/// Maximum number of categories.
pub const MAX_CATEGORIES: usize = 500;
/// Maximum of `priority`.
const MAX_PRIORITY: u64 = 1_000_000;
/// Maximum length of a name, which becomes a value of a column.
const MAX_NAME_CHARS: usize = 200;

/// Category that an answer may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its place in the file, from 0.
    pub index: usize,
    /// Its name, which answers have to repeat exactly.
    pub name: String,
    /// What belongs to it.
    pub description: String,
    /// Conditions that hold for it.
    pub conditions: Vec<String>,
    /// Words and facts that point to it.
    pub key_indicators: Vec<String>,
    /// What does not belong to it.
    pub exceptions: Vec<String>,
    /// Texts that belong to it.
    pub examples: Vec<String>,
    /// Its rank: lower ones come first and win.
    pub priority: Option<u64>,
    /// Rules that an answer with this category has to keep.
    pub validation_rules: Vec<String>,
    /// Other names of it, which answers must not use.
    pub aliases: Vec<String>,
}

impl Category {
    /// Returns the path of a field in messages.
    pub fn path(&self, field: &str) -> String {
        format!("{}[{}].{field}", ConfigFile::CategoryDefinitions.stem(), self.index)
    }
}

/// Returns the name as it is compared with others.
fn compared(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Reads the categories, in the order of their priority, and all problems.
pub(super) fn read(value: &Value) -> (Vec<Category>, Vec<Problem>) {
    let file = ConfigFile::CategoryDefinitions;
    let Some(list) = value.as_array() else {
        let problem = Problem::without_value(file.file_name(), "must contain a list of categories");
        let problem = if value.is_object() { problem.remedy("put the category in brackets: [{…}]") } else { problem };
        return (Vec::new(), vec![problem]);
    };
    let mut problems = Vec::new();
    if list.is_empty() {
        problems.push(Problem::without_value(file.file_name(), "must contain at least one category"));
    }
    if list.len() > MAX_CATEGORIES {
        let rule = format!("has {} categories, but the maximum is {MAX_CATEGORIES}", list.len());
        let remedy = "classify in two stages, first into groups of categories";
        return (Vec::new(), vec![Problem::without_value(file.file_name(), rule).remedy(remedy)]);
    }
    let mut categories = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for (index, value) in list.iter().enumerate() {
        let path = format!("{}[{index}]", file.stem());
        let Some(object) = value.as_object() else {
            problems.push(Problem::new(path, value, "must be an object with the fields of a category"));
            continue;
        };
        let mut fields = Fields::new(&path, object);
        let category = read_one(index, &mut fields);
        if let Some(name) = object.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty()) {
            match names.get(&compared(name)) {
                Some(earlier) => fields.note(named_twice(&path, name, *earlier)),
                None => {
                    names.insert(compared(name), index);
                }
            }
        }
        problems.extend(fields.finish());
        categories.extend(category);
    }
    categories.sort_by_key(|category| category.priority.unwrap_or(u64::MAX));
    (categories, problems)
}

fn named_twice(path: &str, name: &str, earlier: usize) -> Problem {
    let stem = ConfigFile::CategoryDefinitions.stem();
    let rule = format!("is the name of {stem}[{earlier}] too, as case and outer spaces do not count");
    Problem::new(format!("{path}.name"), name, rule).remedy("rename one of them, or merge them")
}

fn read_one(index: usize, fields: &mut Fields<'_>) -> Option<Category> {
    // Every field is read before any is missed, so that all problems come at once.
    let name = required_line(fields, "name");
    let description = required_text(fields, "description");
    let conditions = required_texts(fields, "conditions");
    let key_indicators = required_texts(fields, "key_indicators");
    let exceptions = texts(fields, "exceptions").unwrap_or_default();
    let examples = texts(fields, "examples").unwrap_or_default();
    let priority = fields.integer("priority", 0, MAX_PRIORITY);
    let validation_rules = texts(fields, "validation_rules").unwrap_or_default();
    let aliases = texts(fields, "aliases").unwrap_or_default();
    let name = name?;
    if name.chars().count() > MAX_NAME_CHARS {
        let rule = format!("must have at most {MAX_NAME_CHARS} characters");
        fields.note(Problem::new(fields.name("name"), &name, rule).remedy("move the details to `description`"));
    }
    Some(Category {
        index,
        name,
        description: description?,
        conditions: conditions?,
        key_indicators: key_indicators?,
        exceptions,
        examples,
        priority,
        validation_rules,
        aliases,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn category(name: &str) -> Value {
        json!({"name": name, "description": "d", "conditions": ["c"], "key_indicators": ["k"]})
    }

    fn with(field: &str, value: Value) -> Value {
        let mut one = category("a");
        one[field] = value;
        json!([one])
    }

    #[test]
    fn categories_are_read_in_the_order_of_their_priority() {
        let mut list: Vec<Value> = ["c", "a", " b "].map(category).into();
        list[1]["priority"] = json!(1);
        list[2]["priority"] = json!(0);
        let (categories, problems) = read(&list.into());
        assert_eq!(problems, []);
        let names: Vec<_> = categories.iter().map(|category| (category.index, category.name.as_str())).collect();
        assert_eq!(names, [(2, "b"), (1, "a"), (0, "c")]);
        assert_eq!(categories[0].path("name"), "category_definitions[2].name");
    }

    #[rstest]
    #[case(with("name", json!(null)), "category_definitions[0].name: is required and must not be empty")]
    #[case(with("name", json!(" ")), "category_definitions[0].name: is required and must not be empty")]
    #[case(with("name", json!(7)), "category_definitions[0].name is `7`: must be a text")]
    #[case(with("name", json!("a\nb")), "category_definitions[0].name is `a b`: must be one line without tabs")]
    #[case(with("name", json!("a\u{1b}[31m")),
        "category_definitions[0].name: contains the control character U+001B at character 2; remove it")]
    #[case(with("conditions", json!([])),
        "category_definitions[0].conditions: is required and must contain at least one text")]
    #[case(with("conditions", json!("only one")),
        "category_definitions[0].conditions is `\"only one\"`: must be a list of texts; put the text in brackets: [\"…\"]")]
    #[case(with("key_indicators", json!(["k", 1])), "category_definitions[0].key_indicators[1] is `1`: must be a text")]
    #[case(with("examples", json!(["", "x"])), "category_definitions[0].examples[0]: must not be empty")]
    #[case(with("priority", json!("high")),
        "category_definitions[0].priority is `\"high\"`: must be a whole number from 0 to 1000000")]
    #[case(with("key_indicator", json!(["k"])),
        "category_definitions[0].key_indicator: is not a field of this input; did you mean `key_indicators`?")]
    #[case(with("description", json!("x".repeat(10_001))), "category_definitions[0].description is `xxx")]
    #[case(json!([7]), "category_definitions[0] is `7`: must be an object with the fields of a category")]
    #[case(json!([]), "category_definitions.json: must contain at least one category")]
    #[case(category("a"), "category_definitions.json: must contain a list of categories; put the category in brackets")]
    #[case(json!("x"), "category_definitions.json: must contain a list of categories")]
    #[case(json!(vec![json!({}); 501]), "category_definitions.json: has 501 categories, but the maximum is 500")]
    fn each_problem_has_its_path_value_rule_and_remedy(#[case] value: Value, #[case] expected: &str) {
        let (_, problems) = read(&value);
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(expected), "{lines:?}");
    }

    #[test]
    fn all_problems_are_reported_at_once_even_of_names_in_broken_categories() {
        let value = json!([
            {"description": "d", "conditions": ["c"], "key_indicators": ["k"]},
            category("Refund"),
            {"name": " refund ", "conditions": "c", "key_indicators": [], "aliasses": []},
        ]);
        let (_, problems) = read(&value);
        let places: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        let third = "category_definitions[2]";
        assert_eq!(
            places,
            [
                "category_definitions[0].name".to_owned(),
                format!("{third}.description"),
                format!("{third}.conditions"),
                format!("{third}.key_indicators"),
                format!("{third}.name"),
                format!("{third}.aliasses"),
            ]
        );
        assert_eq!(
            problems[4].to_string(),
            "category_definitions[2].name is ` refund `: is the name of category_definitions[1] too, as case and outer spaces \
             do not count; rename one of them, or merge them"
        );
    }
}
