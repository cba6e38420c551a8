//! Files of a generated prompt in S3, which an input names with `prompt_templates` and `validation_schema`.

use crate::error::{EngineError, collected};
use crate::objects::{Pages, read_small};
use aws_sdk_s3::Client;
use bedrock_batch_domain::input::TemplateSource;
use bedrock_batch_domain::problem::{Problem, Problems};
use bedrock_batch_domain::prompt::Prompt;
use bedrock_batch_domain::prompt_templates::{
    MAX_TEMPLATE_FILE_BYTES, SCHEMA_PREFIX, SchemaFile, SchemaPlace, TemplateFile, generated_prompt, prompts_object,
};
use bedrock_batch_domain::readable::ReadableInputs;
use bedrock_batch_domain::s3_uri::S3Uri;

const TEMPLATES: &str = TemplateSource::PROMPT_TEMPLATES;
const SCHEMA: &str = TemplateSource::VALIDATION_SCHEMA;

/// Maximum number of schemas of a folder, in pages of 1,000.
const MAX_SCHEMA_PAGES: usize = 10;

/// Text of an object.
struct Text {
    /// Address of the object.
    name: String,
    content: Vec<u8>,
}

impl Text {
    fn file(&self, named_by: &'static str) -> TemplateFile<'_> {
        TemplateFile { named_by, name: &self.name, content: &self.content }
    }
}

/// Reads the prompt at `source`. `readable` are the places that it may be in.
///
/// # Errors
/// Returns `InvalidInput` with all problems of both files, and another error if an S3 request fails.
pub(crate) async fn read_generated(
    s3: &Client,
    readable: &ReadableInputs<'_>,
    source: &TemplateSource,
) -> Result<Prompt, EngineError> {
    let mut problems = Vec::new();
    let prompts = collected(read_prompts(s3, readable, &source.prompt_templates).await, &mut problems)?;
    let schema = match &source.validation_schema {
        Some(named) => collected(read_schema(s3, readable, named).await, &mut problems)?,
        None => None,
    };
    let prompts = prompts.as_ref().map(|text| text.file(TEMPLATES));
    let schema = schema.as_ref().map(|text| text.file(SCHEMA));
    let generated = generated_prompt(prompts.as_ref(), schema.as_ref(), &source.input_data_column);
    let generated = collected(generated.map_err(EngineError::from), &mut problems)?.flatten();
    Problems::check(problems)?;
    let Some(prompt) = generated else {
        return Err(EngineError::internal("a generated prompt without problems could not be read"));
    };
    // Without its description, which is the text of a user.
    tracing::info!("generated_prompt_read");
    Ok(prompt)
}

async fn read_prompts(s3: &Client, readable: &ReadableInputs<'_>, named: &str) -> Result<Text, EngineError> {
    let uri = prompts_object(&address(TEMPLATES, named, readable)?);
    read(s3, TEMPLATES, uri).await
}

async fn read_schema(s3: &Client, readable: &ReadableInputs<'_>, named: &str) -> Result<Text, EngineError> {
    let uri = match SchemaPlace::of(&address(SCHEMA, named, readable)?) {
        SchemaPlace::Object(uri) => uri,
        SchemaPlace::Folder(folder) => newest_schema(s3, &folder).await?,
    };
    read(s3, SCHEMA, uri).await
}

fn address(field: &str, named: &str, readable: &ReadableInputs<'_>) -> Result<S3Uri, Problem> {
    let uri = S3Uri::parse(named).map_err(|rule| Problem::new(field, named, rule))?;
    readable.problem(field, &uri).map_or(Ok(uri), Err)
}

async fn read(s3: &Client, field: &'static str, uri: S3Uri) -> Result<Text, EngineError> {
    let content = read_small(s3, field, &uri, MAX_TEMPLATE_FILE_BYTES as u64).await?.bytes;
    Ok(Text { name: uri.to_string(), content })
}

/// Returns the newest schema directly in a folder.
async fn newest_schema(s3: &Client, folder: &S3Uri) -> Result<S3Uri, EngineError> {
    let prefix = S3Uri::new(&folder.bucket, format!("{}{SCHEMA_PREFIX}", folder.key));
    let mut pages = Pages::new(s3, &prefix);
    let mut newest: Option<SchemaFile> = None;
    let mut read = 0;
    while let Some(page) = pages.next().await.map_err(of_schema)? {
        if read == MAX_SCHEMA_PAGES {
            let rule = format!("contains over {} objects that begin with `{SCHEMA_PREFIX}`", MAX_SCHEMA_PAGES * 1000);
            return Err(Problem::new(SCHEMA, folder, rule).remedy("name one of them").into());
        }
        read += 1;
        let names = page.iter().filter_map(|found| Some((found.uri.key.strip_prefix(&folder.key)?, found.modified)));
        let files = names.filter_map(|(name, modified)| SchemaFile::new(name, modified));
        // Folders of other generations in this one have schemas of their own.
        newest = files.filter(|file| !file.name.contains('/')).chain(newest).max();
    }
    let Some(newest) = newest else {
        let rule = format!("this folder contains no `{SCHEMA_PREFIX}<time>.json`");
        let remedy = "upload the schema, correct the address, or name the file itself";
        return Err(Problem::new(SCHEMA, folder, rule).remedy(remedy).into());
    };
    Ok(S3Uri::new(&folder.bucket, format!("{}{}", folder.key, newest.name)))
}

/// Returns the error of a listing as one of the field that names the folder.
fn of_schema(error: EngineError) -> EngineError {
    match error.into_problems() {
        Ok(problems) => problems.of_field(SCHEMA).into(),
        Err(error) => error,
    }
}
