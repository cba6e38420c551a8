//! `bedrock-batch models`: the complete ids of models, with the regions and inference profiles under which they are used.

use crate::failure::Failure;
use crate::terminal::print_lines;
use bedrock_batch_domain::model::{ListedModel, ModelTable, ModelWish};
use bedrock_batch_engine::templates::load_models;
use clap::Args;
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Region: lists the name that requests there are sent under, for each model that can be used there
    #[arg(long)]
    region: Option<String>,
    /// File of your own limits and models, if it exists
    #[arg(long, value_name = "FILE", default_value = "infra/model-overrides.toml")]
    model_overrides: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let table = load_models(&arguments.model_overrides).map_err(Failure::Failed)?;
    let text = match &arguments.region {
        Some(region) => names_in(&table.on(&crate::validate::today()), region),
        None => page(&table),
    };
    print_lines("", &text);
    Ok(())
}

/// Returns the page of all models, which is `docs/models.md`. It judges nothing by today's date.
fn page(table: &ModelTable) -> String {
    let mut text = "# Models\n\nWritten by `make models-page` from `crates/domain/models.toml`, which has the sources. Bedrock itself \
                    decides when a run\nstarts ([execution-input.md](execution-input.md#models)); `bedrock-batch models --region \
                    REGION` lists the names that a region uses.\n\n\
                    | model id | in batch by this id in | inference profiles | life |\n| --- | --- | --- | --- |\n"
        .to_owned();
    for model in table.listed() {
        let profiles = match model.profiles {
            None => "not known".to_owned(),
            Some([]) => "none".to_owned(),
            Some(groups) => groups.iter().map(|group| format!("`{group}.`")).collect::<Vec<_>>().join(" "),
        };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "| `{}` | {} | {profiles} | {} |", model.id, batch_regions(&model), life(&model));
    }
    text.trim_end().to_owned()
}

fn batch_regions(model: &ListedModel<'_>) -> String {
    match model.batch_regions {
        Some(regions) => regions.join(", "),
        None if model.profile_only => "none: by profile".to_owned(),
        None => "not known".to_owned(),
    }
}

fn life(model: &ListedModel<'_>) -> String {
    let legacy = model.legacy_since.map(|date| format!("legacy since {date}"));
    let end = model.end_of_life.map(|date| match model.alive_in {
        [] => format!("ends on {date}"),
        regions => format!("ends on {date}, but not in {}", regions.join(", ")),
    });
    let next = model.end_of_life.and(model.successor).map(|id| format!("then `{id}`"));
    let parts: Vec<String> = [legacy, end, next].into_iter().flatten().collect();
    if parts.is_empty() { "active".to_owned() } else { parts.join(", ") }
}

/// Returns a line per model that requests in `region` can use: the name that they are sent under.
fn names_in(table: &ModelTable, region: &str) -> String {
    let wish = |model_id| ModelWish {
        field: "model_id",
        model_id,
        region,
        profile_arn: None,
        required_models: None,
        allow_global: true,
        in_batch: true,
        on_demand: false,
    };
    let names = table.listed().into_iter().filter_map(|model| table.named(&wish(model.id)).ok());
    let lines: Vec<String> = names
        .map(|named| match named.warnings.first() {
            Some(warning) => format!("{}  ({warning})", named.batch.id),
            None => named.batch.id,
        })
        .collect();
    if lines.is_empty() {
        format!("no model of the table is known to take batch in {region}")
    } else {
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ModelTable {
        ModelTable::with_overrides("").unwrap().on("2026-11-20")
    }

    #[test]
    fn the_page_of_the_docs_is_the_one_of_the_table() {
        let stored = std::fs::read_to_string("../../docs/models.md").unwrap_or_default();
        assert_eq!(stored.trim_end(), page(&table()), "`make models-page` writes it");
    }

    #[test]
    fn a_region_lists_the_names_that_it_uses_and_no_dead_model() {
        let europe = names_in(&table(), "eu-central-1");
        assert!(europe.lines().any(|line| line == "eu.anthropic.claude-haiku-4-5-20251001-v1:0"), "{europe}");
        assert!(!europe.contains("claude-3-haiku") && !europe.contains("us."), "{europe}");
        let mumbai = names_in(&table(), "ap-south-1");
        assert!(mumbai.lines().any(|line| line == "global.anthropic.claude-haiku-4-5-20251001-v1:0"), "{mumbai}");
        assert!(names_in(&table(), "mars-1").contains("global."), "profiles may be used from regions that are newer");
    }
}
