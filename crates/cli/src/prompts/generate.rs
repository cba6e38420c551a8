//! `bedrock-batch prompts generate`: a prompt from definitions of categories.

use super::{folder, output_folder, report};
use crate::failure::Failure;
use crate::terminal::outln;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bedrock_batch_domain::problem::Problem;
use bedrock_batch_domain::prompt_generation::{GeneratedPrompt, GenerationTime, SettingTexts};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Seconds since 1970 to use as the time, so that two generations of one input write the same bytes.
const FIXED_TIME: &str = "SOURCE_DATE_EPOCH";
/// The last second of the year 9999, as years have four digits in names of files.
const MAX_SECONDS: i64 = 253_402_300_799;
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
    #[arg(long, env = "INPUT_PLACEHOLDERS", hide_env_values = true, value_name = "COLUMNS")]
    input_placeholders: Option<String>,
    /// Wording: structured, conversational or technical [default: structured]
    #[arg(long, env = "TEMPLATE_STYLE", hide_env_values = true, value_name = "STYLE")]
    style: Option<String>,
    /// Strictness towards answers and definitions: minimal, standard or strict [default: standard]
    #[arg(long, env = "VALIDATION_LEVEL", hide_env_values = true, value_name = "LEVEL")]
    validation_level: Option<String>,
    /// Type of the task, which names the model of the answers [default: classification]
    #[arg(long, env = "TEMPLATE_TASK_TYPE", hide_env_values = true, value_name = "TYPE")]
    task_type: Option<String>,
    /// Whether the prompt contains the examples of the categories [default: true]
    #[arg(
        long,
        env = "INCLUDE_EXAMPLES", hide_env_values = true,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    include_examples: Option<String>,
    /// Whether answers are held to a schema [default: true]
    #[arg(
        long,
        env = "GENERATE_VALIDATION_SCHEMA", hide_env_values = true,
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    generate_validation_schema: Option<String>,
    /// Version of the prompt [default: 1.0]
    #[arg(long, env = "TEMPLATE_VERSION", hide_env_values = true, value_name = "VERSION")]
    template_version: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let generated = folder::generated(folder, &arguments.texts(), time()?)?
        .map_err(|problems| Failure::Usage(format!("{}, nothing was written", report::problems(folder, &problems))))?;
    let files = generated.files().map_err(|error| Failure::Failed(error.to_string()))?;
    for path in output_folder::write(&arguments.out, &files)? {
        outln!("wrote {}", path.display());
    }
    print(&arguments.out, &generated);
    if let Some(warning) = output_folder::stale_schemas(&arguments.out, &files) {
        outln!("{warning}");
    }
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

fn time() -> Result<GenerationTime, Failure> {
    let fixed = std::env::var(FIXED_TIME).unwrap_or_default();
    if fixed.trim().is_empty() {
        return Ok(time_of(DateTime::from(SystemTime::now()).secs()));
    }
    let seconds: u64 = fixed.trim().parse().map_err(|_| {
        let rule = "must be a number of seconds since 1970";
        Failure::Usage(Problem::new(FIXED_TIME, &fixed, rule).remedy("unset it for the current time").to_string())
    })?;
    Ok(time_of(seconds.try_into().unwrap_or(i64::MAX)))
}

fn time_of(unix_seconds: i64) -> GenerationTime {
    let text = DateTime::from_secs(unix_seconds.clamp(0, MAX_SECONDS)).fmt(Format::DateTime).unwrap_or_default();
    GenerationTime::from_utc(&text)
}

fn print(out: &Path, generated: &GeneratedPrompt) {
    let prompts = &generated.prompts;
    let chars = prompts.system_prompt.chars().count() + prompts.user_prompt_template.chars().count();
    outln!("the prompt has about {} tokens per row, without the cells of the row", chars.div_ceil(CHARS_PER_TOKEN));
    report::quality(&generated.metadata, true);
    let id = &generated.metadata.prompt_id;
    let folder = out.join("prompt-templates");
    outln!("a run uses it as \"prompt_id\": \"{id}\", with `--prompt-templates {}`", folder.display());
    let [templates, schema] = ["templates", "schema"].map(|folder| out.join(folder));
    let with_schema = generated.schema.as_ref().map(|_| format!(", \"validation_schema\": \"{}\"", schema.display()));
    outln!("or as \"prompt_templates\": \"{}\"{}", templates.display(), with_schema.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "1970-01-01T00:00:00+00:00", "19700101_000000")]
    #[case(951_782_400, "2000-02-29T00:00:00+00:00", "20000229_000000")]
    #[case(1_709_164_799, "2024-02-28T23:59:59+00:00", "20240228_235959")]
    #[case(1_796_027_469, "2026-11-30T08:31:09+00:00", "20261130_083109")]
    #[case(4_107_542_400, "2100-03-01T00:00:00+00:00", "21000301_000000")]
    #[case(i64::MAX, "9999-12-31T23:59:59+00:00", "99991231_235959")]
    #[case(-1, "1970-01-01T00:00:00+00:00", "19700101_000000")]
    fn times_are_shown_in_both_forms(#[case] seconds: i64, #[case] iso: &str, #[case] compact: &str) {
        let time = time_of(seconds);
        assert_eq!((time.iso().as_str(), time.compact().as_str()), (iso, compact));
    }
}
