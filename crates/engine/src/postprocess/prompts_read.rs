//! Readers of the answers to the prompts of a run.

use bedrock_batch_domain::extract::FieldKinds;
use bedrock_batch_domain::input::Inference;
use bedrock_batch_domain::model::Family;
use bedrock_batch_domain::problem::Problems;
use bedrock_batch_domain::prompt::{Piece, PromptPlan, PromptReader, Template};
use std::collections::{BTreeSet, HashMap};

/// Prompts of a run, as far as needed to read their answers.
#[derive(Debug, Default)]
pub struct PromptsRead {
    readers: Vec<PromptReader>,
    /// Prefill of each prompt; may be empty, and may show columns.
    prefills: Vec<Template>,
    /// If true, requests may have several rows, so that records have the ids of requests.
    pub(super) has_rows_parts: bool,
    /// Fields of all prompts, each once.
    pub(super) fields: Vec<String>,
    /// Kinds of the declared types of the fields.
    declared: Vec<FieldKinds>,
    /// For each field, true if a prompt has it without a declared type, so that its values determine the type.
    pub(super) typed_by_values: Vec<bool>,
    numbers: HashMap<String, u16>,
    /// If true, rows may have different prompts, and name them.
    pub(super) named: bool,
    /// Length that embeddings must have, if it is known.
    pub(super) embedding_length: Option<usize>,
}

/// Number that represents no prompt.
pub(super) const NONE: u16 = u16::MAX;

impl PromptsRead {
    /// Creates the readers for the prompts of a plan, sent with these parameters.
    ///
    /// # Errors
    /// Returns an error like [`PromptPlan::readers`].
    pub fn new(plan: &PromptPlan, inference: &Inference) -> Result<Self, Problems> {
        let (readers, fields) = plan.readers()?;
        let prefills = plan.prompts.iter().map(|named| plan.prefill_template(inference, &named.prompt));
        let mut declared = vec![FieldKinds::default(); fields.len()];
        let mut typed_by_values = vec![false; fields.len()];
        for (reader, extractor) in readers.iter().filter_map(|reader| Some((reader, reader.extractor.as_ref()?))) {
            let mut types = extractor.types().iter();
            for column in &reader.columns {
                match types.next() {
                    Some(column_type) => declared[*column].merge(&FieldKinds::of_type(*column_type)),
                    None => typed_by_values[*column] = true,
                }
            }
        }
        let numbers = readers.iter().zip(0..).map(|(reader, number)| (reader.id.clone(), number)).collect();
        let (prefills, has_rows_parts, named) = (prefills.collect(), plan.has_rows_parts(), plan.names_prompts());
        let embedding_length = None;
        Ok(Self {
            readers,
            prefills,
            has_rows_parts,
            fields,
            declared,
            typed_by_values,
            numbers,
            named,
            embedding_length,
        })
    }

    /// Has the answers of an embedding model checked for the length that its requests name.
    #[must_use]
    pub fn with_embeddings_of(mut self, family: Family, inference: &Inference) -> Self {
        let length = inference.dimensions.or(family.embedding_dimensions().first().copied());
        self.embedding_length =
            length.filter(|_| family.is_embedding()).and_then(|length| usize::try_from(length).ok());
        self
    }

    /// Returns the kinds of the declared types of all fields. A field without one has none.
    pub(super) fn declared_kinds(&self) -> Vec<FieldKinds> {
        self.declared.clone()
    }

    /// Returns the name of a field of a prompt whose values may be changed.
    pub(super) fn changeable(&self, prompt: u16, field: usize) -> Option<&str> {
        let extractor = self.reader(prompt)?.extractor.as_ref()?;
        extractor.changeable().get(field).map(String::as_str)
    }

    /// Returns the number of the prompt with this name.
    pub(super) fn number(&self, id: Option<&str>) -> u16 {
        id.and_then(|id| self.numbers.get(id)).copied().unwrap_or(NONE)
    }

    /// Returns the name of the prompt with this number.
    pub(super) fn id(&self, number: u16) -> Option<&str> {
        self.readers.get(usize::from(number)).map(|reader| reader.id.as_str())
    }

    /// Returns the names of all prompts, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.readers.iter().map(|reader| reader.id.as_str())
    }

    /// Returns true if a prompt's answers have this column: one of its own fields, or a column that is not a field.
    pub(super) fn has_column(&self, id: &str, column: &str) -> bool {
        let Some(field) = self.fields.iter().position(|field| field == column) else { return true };
        self.readers.iter().any(|reader| reader.id == id && reader.columns.contains(&field))
    }

    /// Returns the reader of the answers to a prompt.
    pub(super) fn reader(&self, number: u16) -> Option<&PromptReader> {
        self.readers.get(usize::from(number))
    }

    /// Returns true if an answer to a prompt is a list with an element for each row of its request.
    pub(super) fn lists_rows(&self, number: u16) -> bool {
        self.reader(number).is_some_and(|reader| reader.lists_rows)
    }

    /// Returns the prefill of a prompt, with which every answer to a request begins.
    pub(super) fn sent_prefill(&self, number: u16) -> Option<&Template> {
        self.prefills.get(usize::from(number))
    }

    /// Returns the prefill of a prompt in which it shows no column; may be empty.
    pub(super) fn literal_prefill(&self, number: u16) -> &str {
        match self.sent_prefill(number).map(Template::pieces) {
            Some([Piece::Literal(text)]) => text,
            _ => "",
        }
    }

    /// Returns the columns that prefills show, each once.
    pub(super) fn prefill_columns(&self) -> BTreeSet<&str> {
        self.prefills.iter().flat_map(Template::columns).collect()
    }
}
