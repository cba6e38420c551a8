//! Texts of a plan's prompts, with references inserted.

use super::{Prompt, PromptPlan, Template};
use crate::input::Inference;
use crate::model::effective_prefill;
use crate::reference::{find, reference_of};

impl PromptPlan {
    /// Returns a template of a prompt, with the references inserted.
    pub fn filled(&self, template: Template) -> Template {
        let text_of = |placeholder: &str| {
            find(&self.references, reference_of(placeholder)?).map(|reference| reference.text.as_str())
        };
        template.filled(text_of)
    }

    /// Returns the template of a system prompt of requests with `prompt`, with the references inserted. Only names of columns in
    /// braces are placeholders.
    pub fn system_template(&self, text: &str, prompt: &Prompt) -> Template {
        let reference = |name: &str| reference_of(name).is_some_and(|name| find(&self.references, name).is_some());
        self.filled(Template::of_names(text, |name| reference(name) || self.is_shown_in_instructions(name, prompt)))
    }

    /// Returns the template of the beginning of the answers to `prompt`, in which only names of columns in braces are
    /// placeholders; empty if there is none.
    pub fn prefill_template(&self, inference: &Inference, prompt: &Prompt) -> Template {
        let text = effective_prefill(inference, prompt.prefill.as_deref()).unwrap_or_default();
        Template::of_names(text, |name| self.is_shown_in_instructions(name, prompt))
    }

    /// Returns true if system prompt and prefill of a prompt show a column of this name. A request of several rows shows none
    /// there.
    fn is_shown_in_instructions(&self, name: &str, prompt: &Prompt) -> bool {
        prompt.rows.is_none() && self.instruction_columns.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::Piece;
    use crate::reference::{Reference, ReferenceSource};
    use rstest::rstest;
    use std::collections::BTreeSet;

    #[rstest]
    #[case("x {reference.a} y {b}", "x <{b}> y [b]")]
    #[case("{reference.c} {c} {{\"x\": 1}} }", "{reference.c} {c} {{\"x\": 1}} }")]
    #[case("{ {b} }{b", "{ [b] }{b")]
    #[case("{{reference.a}}", "{<{b}>}")]
    #[case("", "")]
    fn a_system_prompt_shows_references_and_columns_only(#[case] text: &str, #[case] expected: &str) {
        let source = ReferenceSource { name: "a".into(), uri: "s3://bucket/a.txt".into(), etag: String::new() };
        let references = vec![Reference::read(source, "<{b}>".as_bytes()).unwrap()];
        let instruction_columns = BTreeSet::from(["b".to_owned()]);
        let plan = PromptPlan { references, instruction_columns, ..PromptPlan::default() };
        let shown = |prompt: &Prompt| {
            let template = plan.system_template(text, prompt);
            let pieces = template.pieces().iter().map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Column(name) => format!("[{name}]"),
            });
            pieces.collect::<String>()
        };
        assert_eq!(shown(&Prompt::parse("description = \"d\"\ntemplate = \"t\"").unwrap()), expected);
        let of_rows = "description = \"d\"\ntemplate = \"{rows}\"\n[rows]\ntemplate = \"{row_id}{b}\"";
        assert_eq!(
            shown(&Prompt::parse(of_rows).unwrap()),
            expected.replace("[b]", "{b}"),
            "a request has several rows"
        );
    }
}
