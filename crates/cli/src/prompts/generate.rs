//! `bedrock-batch prompts generate`: a prompt from definitions of categories.

use super::folder::{self, Folder};
use super::report;
use crate::failure::Failure;
use crate::outln::outln;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt_generation::{
    self, GeneratedPrompt, GenerationTime, PromptConfiguration, SettingTexts, Settings, default_prompt_id,
};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Seconds since 1970 to use as the time, so that two generations of one input write the same bytes.
const FIXED_TIME: &str = "SOURCE_DATE_EPOCH";
/// Number of characters per token of English text, on average.
const CHARS_PER_TOKEN: usize = 4;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder of prompt configurations: definitions of categories and, if the defaults do not suit, files for the system
    /// prompt, the output format and the instructions
    folder: PathBuf,
    /// Folder to write to: templates/, metadata/, schema/ and prompt-templates/ in it
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the prompt in runs [default: the name of the folder]
    #[arg(long, value_name = "ID")]
    prompt_id: Option<String>,
    /// Columns that the prompt shows, as a JSON list or with commas in between [default: `input_data`]
    #[arg(long, env = "INPUT_PLACEHOLDERS", value_name = "COLUMNS")]
    input_placeholders: Option<String>,
    /// Wording: structured, conversational or technical [default: structured]
    #[arg(long, env = "TEMPLATE_STYLE", value_name = "STYLE")]
    style: Option<String>,
    /// Strictness towards answers and definitions: minimal, standard or strict [default: standard]
    #[arg(long, env = "VALIDATION_LEVEL", value_name = "LEVEL")]
    validation_level: Option<String>,
    /// Type of the task, which names the model of the answers [default: classification]
    #[arg(long, env = "TEMPLATE_TASK_TYPE", value_name = "TYPE")]
    task_type: Option<String>,
    /// Whether the prompt contains the examples of the categories [default: true]
    #[arg(
        long,
        env = "INCLUDE_EXAMPLES",
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    include_examples: Option<String>,
    /// Whether answers are held to a schema [default: true]
    #[arg(
        long,
        env = "GENERATE_VALIDATION_SCHEMA",
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    generate_validation_schema: Option<String>,
    /// Version of the prompt [default: 1.0]
    #[arg(long, env = "TEMPLATE_VERSION", value_name = "VERSION")]
    template_version: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let time = time()?;
    let Folder { files, mut problems } = folder::read(&arguments.folder)?;
    let (config, of_files) = PromptConfiguration::read(&files);
    let (settings, of_settings) = Settings::read(&arguments.texts(), &default_prompt_id(&name_of(&arguments.folder)));
    problems.extend(of_files);
    problems.extend(of_settings);
    let generated = match (config, settings) {
        (Some(config), Some(settings)) if problems.is_empty() => {
            prompt_generation::generate(&config, &settings, time).map_err(|problem| problems.push(problem)).ok()
        }
        _ => None,
    };
    let Some(generated) = generated else {
        let message = report::problems(&arguments.folder, &problems);
        return Err(Failure::Usage(format!("{message}, nothing was written")));
    };
    write(&arguments.out, &generated)?;
    print(&arguments.out, &generated);
    Ok(())
}

impl Arguments {
    fn texts(&self) -> SettingTexts {
        SettingTexts {
            task_type: self.task_type.clone(),
            style: self.style.clone(),
            validation_level: self.validation_level.clone(),
            input_placeholders: self.input_placeholders.clone(),
            include_examples: self.include_examples.clone(),
            generate_validation_schema: self.generate_validation_schema.clone(),
            template_version: self.template_version.clone(),
            prompt_id: self.prompt_id.clone(),
        }
    }
}

/// Returns the name of a folder, also of `.`.
fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn time() -> Result<GenerationTime, Failure> {
    let fixed = std::env::var(FIXED_TIME).unwrap_or_default();
    if fixed.trim().is_empty() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        return Ok(GenerationTime::from_unix_seconds(now.as_secs()));
    }
    let seconds = fixed.trim().parse().map_err(|_| {
        let rule = "must be a number of seconds since 1970";
        Failure::Usage(Problem::new(FIXED_TIME, &fixed, rule).remedy("unset it for the current time").to_string())
    })?;
    Ok(GenerationTime::from_unix_seconds(seconds))
}

fn write(out: &Path, generated: &GeneratedPrompt) -> Result<(), Failure> {
    let files = generated.files().map_err(|error| Failure::Failed(error.to_string()))?;
    for file in files {
        let path = out.join(&file.path);
        let cannot = |error: std::io::Error| Failure::Failed(format!("{}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        std::fs::write(&path, file.content).map_err(cannot)?;
        outln!("wrote {}", path.display());
    }
    Ok(())
}

fn print(out: &Path, generated: &GeneratedPrompt) {
    let prompts = &generated.prompts;
    let chars = prompts.system_prompt.chars().count() + prompts.user_prompt_template.chars().count();
    outln!("the prompt has about {} tokens per row, without the cells of the row", chars.div_ceil(CHARS_PER_TOKEN));
    report::quality(&generated.metadata);
    let id = &generated.metadata.prompt_id;
    let folder = out.join("prompt-templates");
    outln!("a run uses it as \"prompt_id\": \"{id}\", with `--prompt-templates {}`", folder.display());
    let [templates, schema] = ["templates", "schema"].map(|folder| out.join(folder));
    let with_schema = generated.schema.as_ref().map(|_| format!(", \"validation_schema\": \"{}\"", schema.display()));
    outln!("or as \"prompt_templates\": \"{}\"{}", templates.display(), with_schema.unwrap_or_default());
}
