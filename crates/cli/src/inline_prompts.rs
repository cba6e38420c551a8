//! Prompts of a local folder, which are sent with the input that names them: the stack need not have them.

use crate::failure::Failure;
use bedrock_batch_domain::prompt::{LibraryEntry, normalized};
use bedrock_batch_engine::templates::{PromptFolder, read_prompts};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Prompts of a local folder.
#[derive(Debug, Default)]
pub(crate) struct LocalPrompts(pub(crate) PromptFolder);

/// Prompts that were put into an input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inlined {
    /// Names of the prompts and rules.
    pub(crate) ids: BTreeSet<String>,
    /// Names that the folder does not have either, so that the stack must have them.
    pub(crate) elsewhere: BTreeSet<String>,
}

impl LocalPrompts {
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        Ok(Self(read_prompts(folder).map_err(Failure::Usage)?))
    }

    /// Puts the prompts and rules that `input` names into its field `prompts`. Those that it contains already stay as they are.
    /// A rule may name prompts that only the stack has.
    ///
    /// # Errors
    /// Returns an error if the file of one of them has mistakes.
    pub(crate) fn inline_into(&self, input: &mut Value) -> Result<Inlined, Failure> {
        let Some(object) = input.as_object_mut() else { return Ok(Inlined::default()) };
        let own = object.get("prompts").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut named = BTreeSet::new();
        let stages = object.get("stages").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
        for fields in std::iter::once(&*object).chain(stages) {
            self.add_named(fields, &mut named);
        }
        named.extend(own.values().flat_map(prompts_of_rule).map(str::to_owned));
        let is_own: BTreeSet<String> = own.keys().map(|id| normalized(id)).collect();
        named.retain(|name| !is_own.contains(&normalized(name)));
        let rules = named.iter().filter_map(|name| match self.0.library.find(name) {
            Some(LibraryEntry::Rule(_, rule)) => Some(rule.prompts.clone()),
            _ => None,
        });
        let of_rules: Vec<String> = rules.flatten().filter(|name| !is_own.contains(&normalized(name))).collect();
        named.extend(of_rules);
        let (mut found, mut inlined) = (Map::new(), Inlined::default());
        for name in named {
            let (id, content) = match self.0.library.find(&name) {
                Some(LibraryEntry::Template(id, prompt)) => (id, json!(prompt)),
                Some(LibraryEntry::Rule(id, rule)) => (id, json!(rule)),
                // Reported by the check below.
                Some(LibraryEntry::Unreadable(id)) => (id, Value::Null),
                None => {
                    inlined.elsewhere.insert(name);
                    continue;
                }
            };
            found.insert(id.to_owned(), content);
            inlined.ids.insert(id.to_owned());
        }
        self.refuse_broken(&inlined.ids)?;
        if !found.is_empty() && object.get("prompts").is_none_or(|prompts| prompts.is_null() || prompts.is_object()) {
            let mut prompts = own;
            prompts.extend(found);
            object.insert("prompts".to_owned(), Value::Object(prompts));
        }
        Ok(inlined)
    }

    /// Returns true if `input` names prompts that neither it nor this folder contains.
    pub(crate) fn are_needed_by(&self, input: &Value) -> bool {
        self.inline_into(&mut input.clone()).is_ok_and(|inlined| !inlined.elsewhere.is_empty())
    }

    /// Adds the names that a run or a stage uses.
    fn add_named(&self, fields: &Map<String, Value>, named: &mut BTreeSet<String>) {
        let config = fields.get("prompt_config").and_then(Value::as_object);
        let mut mapped = false;
        for object in std::iter::once(fields).chain(config) {
            named.extend(object.get("prompt_id").and_then(Value::as_str).map(str::to_owned));
            for mapping in ["category_to_prompt_mapping", "expansion_mapping"] {
                let mapping = object.get(mapping).and_then(Value::as_object);
                mapped |= mapping.is_some();
                named.extend(mapping.into_iter().flat_map(Map::values).filter_map(Value::as_str).map(str::to_owned));
            }
        }
        let mode = config.and_then(|config| config.get("mode")).and_then(Value::as_str);
        if mode == Some("mapped") && !mapped {
            // Only the rows determine which prompts are used. Without those of broken files, their rows would be left over.
            named.extend(self.0.library.prompts.keys().chain(&self.0.library.unreadable).cloned());
        }
    }

    fn refuse_broken(&self, ids: &BTreeSet<String>) -> Result<(), Failure> {
        let is_named = |file: &Path| file.file_stem().and_then(|name| name.to_str()).is_some_and(|id| ids.contains(id));
        let broken = self.0.broken.iter().filter(|(file, _)| is_named(file));
        let lines: Vec<String> = broken.map(|(file, problem)| format!("{}: {problem}", file.display())).collect();
        if lines.is_empty() { Ok(()) } else { Err(Failure::Usage(lines.join("\n"))) }
    }
}

/// Returns the names in an expansion rule that an input contains.
fn prompts_of_rule(content: &Value) -> impl Iterator<Item = &str> {
    let is_rule = content.get("expansion_rule").is_some_and(|value| !value.is_null());
    let prompts = content.get("prompts").and_then(Value::as_array).filter(|_| is_rule);
    prompts.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bedrock_batch_domain::input::{RunRequest, StackLimits};
    use rstest::rstest;
    use tempfile::TempDir;

    /// Returns a folder of three prompts, two rules of which one names a prompt of the stack, and these files.
    fn folder(more: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let fields = "[output_schema]\ntype = \"json\"\nfields = { z = \"$.z\", a = \"$.a\" }";
        let both = "description = \"d\"\nexpansion_rule = true\nprompts = [\"mood\", \"topic\"]".to_owned();
        let files = [
            ("mood", format!("description = \"d\"\ntemplate = \"{{text}}\"\n{fields}")),
            ("topic", "description = \"d\"\ntemplate = \"{text}\"".to_owned()),
            ("other", "description = \"d\"\ntemplate = \"x\"".to_owned()),
            ("both", both),
            ("mixed", "description = \"d\"\nexpansion_rule = true\nprompts = [\"mood\", \"deployed\"]".to_owned()),
        ];
        let more = more.iter().map(|(id, text)| (*id, (*text).to_owned()));
        for (id, text) in files.into_iter().chain(more) {
            std::fs::write(folder.path().join(format!("{id}.toml")), text).unwrap();
        }
        folder
    }

    const BROKEN: &[(&str, &str)] = &[("broken", "description = \"d\"\ntemplate = \"{\"")];

    fn inlined(mut input: Value) -> (Value, Inlined) {
        let inlined = LocalPrompts::read(folder(&[]).path()).unwrap().inline_into(&mut input).unwrap();
        (input, inlined)
    }

    #[rstest]
    #[case::one(json!({"prompt_id": "mood"}), &["mood"], &[])]
    #[case::long_form(json!({"prompt_config": {"prompt_id": "mood"}}), &["mood"], &[])]
    #[case::of_the_stack(json!({"prompt_id": "deployed"}), &[], &["deployed"])]
    #[case::inline(json!({"prompt": {"template": "t"}}), &[], &[])]
    #[case::own(json!({"prompt_id": "mood", "prompts": {"mood": {"template": "mine"}}}), &[], &[])]
    #[case::own_rule(json!({"prompts": {"r": {"expansion_rule": true, "prompts": ["topic", "x"]}}}), &["topic"], &["x"])]
    #[case::mapping(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "category_to_prompt_mapping": {"a": "mood"}}),
        &["mood"], &[])]
    #[case::by_name(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}}), &["mood", "other", "topic"], &[])]
    #[case::rule(json!({"prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"a": "both"}}}),
        &["both", "mood", "topic"], &[])]
    #[case::rule_of_the_stack(json!({"prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"a": "mixed"}}}),
        &["mixed", "mood"], &["deployed"])]
    #[case::other_case(json!({"prompt_id": " MOOD"}), &["mood"], &[])]
    #[case::own_in_other_case(json!({"prompt_id": "mood", "prompts": {"Mood": {"template": "mine"}}}), &[], &[])]
    #[case::own_of_a_rule(json!({"prompts": {"Topic": {"template": "mine"}}, "prompt_config": {"mode": "expanded", "category_column": "c",
        "expansion_mapping": {"a": "both"}}}), &["both", "mood"], &[])]
    #[case::stages(json!({"stages": [{"prompt_id": "mood"}, 7, {"prompt_id": "topic"}, {"prompt_id": "x"}]}), &["mood", "topic"], &["x"])]
    #[case::continuation(json!({"resume_run": "r"}), &[], &[])]
    fn an_input_gets_the_prompts_that_it_names(
        #[case] input: Value,
        #[case] expected: &[&str],
        #[case] elsewhere: &[&str],
    ) {
        let (after, inlined) = inlined(input.clone());
        let names = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
        assert_eq!(inlined, Inlined { ids: names(expected), elsewhere: names(elsewhere) });
        for id in expected {
            assert!(after["prompts"][id].is_object(), "{after}");
        }
        for (field, value) in input.as_object().unwrap().iter().filter(|(field, _)| *field != "prompts") {
            assert_eq!(after.get(field), Some(value));
        }
        if let Some(own) = input["prompts"].as_object() {
            assert!(own.iter().all(|(id, content)| after["prompts"].get(id) == Some(content)), "{after}");
        }
    }

    #[test]
    fn inlined_prompts_are_read_as_the_files_are() {
        let folder = folder(BROKEN);
        let prompts = LocalPrompts::read(folder.path()).unwrap();
        let mut input = json!({"s3_uri": "s3://bucket/a.csv", "job_name_prefix": "p", "model_id": "m",
            "prompt_config": {"mode": "expanded", "category_column": "c", "expansion_mapping": {"a": "both"}}});
        prompts.inline_into(&mut input).unwrap();
        let limits = StackLimits { max_total_records: None, max_records_per_job: Some(1000), max_concurrent_jobs: 5 };
        let (request, problems) = RunRequest::read(&input, limits);
        assert_eq!(problems, []);
        let read = request.unwrap().prompts;
        assert_eq!(read.prompts["mood"], prompts.0.library.prompts["mood"]);
        assert_eq!(read.rules["both"], prompts.0.library.rules["both"]);
    }

    #[rstest]
    #[case::named(json!({"prompt_id": "broken"}))]
    #[case::in_other_case(json!({"prompt_id": "Broken"}))]
    #[case::by_name(json!({"prompt_config": {"mode": "mapped", "column_name": "c"}}))]
    #[case::of_a_rule(json!({"prompts": {"r": {"expansion_rule": true, "prompts": ["broken"]}}}))]
    fn a_file_with_mistakes_is_refused_if_rows_may_need_it(#[case] mut input: Value) {
        let prompts = LocalPrompts::read(folder(BROKEN).path()).unwrap();
        let before = input.clone();
        let error = prompts.inline_into(&mut input).unwrap_err().to_string();
        assert!(error.contains("broken.toml: template is `{`: has a `{` at line 1, column 1"), "{error}");
        assert_eq!(input, before);
    }

    #[test]
    fn a_file_with_mistakes_matters_only_if_it_is_named() {
        let prompts = LocalPrompts::read(folder(BROKEN).path()).unwrap();
        assert_eq!(prompts.inline_into(&mut json!({"prompt_id": "mood"})).unwrap().ids.len(), 1);
        let own = json!({"prompt_config": {"mode": "mapped", "column_name": "c"}, "prompts": {"Broken": {"template": "mine"}}});
        assert_eq!(prompts.inline_into(&mut own.clone()).unwrap().ids.len(), 3);
        assert!(LocalPrompts::read(Path::new("/nowhere")).is_err());
    }
}
