//! Files of a generated prompt on this machine, which an input names: `start` uploads them, `validate` reads them.

use bedrock_batch_domain::input::TemplateSource;
use bedrock_batch_domain::problem::Problems;
use bedrock_batch_domain::prompt::Prompt;
use bedrock_batch_domain::prompt_templates::{
    MAX_TEMPLATE_FILE_BYTES, PROMPTS_JSON, SCHEMA_PREFIX, SchemaFile, TemplateFile, generated_prompt,
};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Fields of a run or a stage that may name a file or a folder.
pub(crate) const FIELDS: [&str; 2] = [TemplateSource::PROMPT_TEMPLATES, TemplateSource::VALIDATION_SCHEMA];

/// Returns the file that the field `field` names with a path: itself, or the one in a folder that a run would use.
///
/// # Errors
/// Returns the reason if there is none.
pub(crate) fn file_of(field: &str, path: &Path) -> Result<PathBuf, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
    if !metadata.is_dir() {
        return Ok(path.to_owned());
    }
    if field == TemplateSource::PROMPT_TEMPLATES {
        let file = path.join(PROMPTS_JSON);
        refuse_link(&file)?;
        return if file.is_file() { Ok(file) } else { Err(format!("{shown}: this folder contains no {PROMPTS_JSON}")) };
    }
    let schemas = schemas_in(path).map_err(|error| format!("{shown}: {error}"))?;
    let newest = schemas
        .into_iter()
        .max()
        .ok_or_else(|| format!("{shown}: this folder contains no {SCHEMA_PREFIX}<time>.json"))?;
    let file = path.join(newest.name);
    refuse_link(&file)?;
    Ok(file)
}

/// Returns the schemas of a folder. The greatest is the one that a run would use.
///
/// # Errors
/// Returns an error if the folder cannot be read.
pub(crate) fn schemas_in(folder: &Path) -> std::io::Result<Vec<SchemaFile>> {
    let mut schemas = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).map_or(0, seconds);
        let name = entry.file_name().into_string().unwrap_or_default();
        schemas.extend(SchemaFile::new(&name, modified).filter(|_| entry.path().is_file()));
    }
    Ok(schemas)
}

/// Returns an error for a link in a folder that is searched: it must not decide which other file of this machine is uploaded.
fn refuse_link(file: &Path) -> Result<(), String> {
    if file.is_symlink() {
        return Err(format!("{}: is a link, which is not followed; replace it by the file", file.display()));
    }
    Ok(())
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Files of the generated prompt of a run or a stage.
#[derive(Debug, Default)]
pub(crate) struct LocalTemplates {
    pub(crate) prompts: Option<PathBuf>,
    pub(crate) schema: Option<PathBuf>,
}

/// Content of a file.
struct Text {
    name: String,
    content: Vec<u8>,
}

impl LocalTemplates {
    /// Returns true if all files that `source` names are on this machine.
    pub(crate) fn are_complete(&self, source: &TemplateSource) -> bool {
        self.prompts.is_some() && self.schema.is_some() == source.validation_schema.is_some()
    }

    /// Reads the prompt; returns `None` if its texts are not on this machine.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read; returns all problems of the files that can be.
    pub(crate) fn read(&self, source: &TemplateSource) -> std::io::Result<Result<Option<Prompt>, Problems>> {
        let [prompts, schema] = [&self.prompts, &self.schema].map(|path| path.as_deref().map(text_of).transpose());
        let (prompts, schema) = (prompts?, schema?);
        let [named_prompts, named_schema] = FIELDS;
        let prompts = prompts.as_ref().map(|text| text.file(named_prompts));
        let schema = schema.as_ref().map(|text| text.file(named_schema));
        Ok(generated_prompt(prompts.as_ref(), schema.as_ref(), &source.input_data_column))
    }
}

impl Text {
    fn file(&self, named_by: &'static str) -> TemplateFile<'_> {
        TemplateFile { named_by, name: &self.name, content: &self.content }
    }
}

/// Returns the content of a file; of one that is too large, enough to see that it is.
fn text_of(path: &Path) -> std::io::Result<Text> {
    let mut content = Vec::new();
    File::open(path)?.take(MAX_TEMPLATE_FILE_BYTES as u64 + 1).read_to_end(&mut content)?;
    Ok(Text { name: path.display().to_string(), content })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(field: &str, path: &Path) -> Result<String, String> {
        file_of(field, path).map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn folders_are_searched_as_those_in_s3_are() {
        let folder = tempfile::tempdir().unwrap();
        let [templates, schema] = FIELDS;
        let error = chosen(templates, folder.path()).unwrap_err();
        assert!(error.ends_with("this folder contains no prompts.json"), "{error}");
        let error = chosen(schema, folder.path()).unwrap_err();
        assert!(error.ends_with("this folder contains no validation_schema_<time>.json"), "{error}");
        std::fs::create_dir(folder.path().join("validation_schema_20270101_000000.json")).unwrap();
        for name in ["prompts.json", "validation_schema_20261130_083109.json", "validation_schema_20261129_000000.json"]
        {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        assert_eq!(chosen(templates, folder.path()).as_deref(), Ok("prompts.json"));
        assert_eq!(chosen(schema, folder.path()).as_deref(), Ok("validation_schema_20261130_083109.json"));
        let named = folder.path().join("validation_schema_20261129_000000.json");
        assert_eq!(file_of(schema, &named), Ok(named));
        assert!(file_of(templates, &folder.path().join("nothing")).is_err());
    }

    #[test]
    fn links_in_folders_are_refused() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let secret = elsewhere.path().join("secret");
        std::fs::write(&secret, "{}").unwrap();
        for (field, name) in FIELDS.iter().zip([PROMPTS_JSON, "validation_schema_20261130_083109.json"]) {
            std::os::unix::fs::symlink(&secret, folder.path().join(name)).unwrap();
            let error = file_of(field, folder.path()).unwrap_err();
            assert!(
                error.ends_with(&format!("{name}: is a link, which is not followed; replace it by the file")),
                "{error}"
            );
        }
    }
}
