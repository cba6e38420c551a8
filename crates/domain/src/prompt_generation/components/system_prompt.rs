//! First component: the system prompt.

use crate::prompt_generation::config::{SystemPromptConfig, Tone};

/// Returns the system prompt. It is not a template: its braces are literal.
pub(in crate::prompt_generation) fn system_prompt(config: &SystemPromptConfig) -> String {
    let expertise = if config.include_expertise_statement { joined_with_and(&config.expertise_areas) } else { None };
    let tasks = if config.include_task_context { joined_with_and(&config.responsibilities) } else { None };
    let conduct = joined_with_and(&config.behavioral_guidelines);
    let role = without_stop(&config.role_definition);
    let sentences = match config.tone {
        Tone::Professional => [
            Some(
                begin("You are", role)
                    + &expertise.map_or(String::new(), |it| format!(" with extensive knowledge of {it}")),
            ),
            tasks.map(|it| format!("Your task is to {it}")),
            conduct.map(|it| format!("Always {it}")),
        ],
        Tone::Casual => [
            Some(begin("You're", role) + &expertise.map_or(String::new(), |it| format!(" who knows a lot about {it}"))),
            tasks.map(|it| format!("Your job is to {it}")),
            conduct.map(|it| format!("Make sure to {it}")),
        ],
        Tone::Technical => [
            Some(format!("Role: {role}") + &expertise.map_or(String::new(), |it| format!(". Domain knowledge: {it}"))),
            tasks.map(|it| format!("Functions: {it}")),
            conduct.map(|it| format!("Constraints: {it}")),
        ],
        Tone::Formal => [
            Some(
                begin("You shall act as", role)
                    + &expertise.map_or(String::new(), |it| format!(" with proven competence in {it}")),
            ),
            tasks.map(|it| format!("Your responsibilities are to {it}")),
            conduct.map(|it| format!("At all times, you must {it}")),
        ],
    };
    let sentences: Vec<String> = sentences.into_iter().flatten().map(|sentence| sentence + ".").collect();
    sentences.join(" ")
}

/// Returns the role with its article after `opener`; a role that is a sentence of its own stays as it is.
fn begin(opener: &str, role: &str) -> String {
    let lower = role.to_lowercase();
    if lower.starts_with("you ") || lower.starts_with("you'") {
        return role.to_owned();
    }
    let has_article = ["a ", "an ", "the ", "one ", "our "].iter().any(|article| lower.starts_with(article));
    if has_article {
        return format!("{opener} {role}");
    }
    let article = if lower.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{opener} {article} {role}")
}

fn without_stop(text: &str) -> &str {
    text.trim_end().trim_end_matches('.')
}

/// Returns the texts with commas and an `and` between them.
fn joined_with_and(texts: &[String]) -> Option<String> {
    let texts: Vec<&str> = texts.iter().map(|text| without_stop(text)).collect();
    let (last, before) = texts.split_last()?;
    Some(if before.is_empty() { (*last).to_owned() } else { format!("{} and {last}", before.join(", ")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn with_role(role: &str, tone: Tone) -> String {
        system_prompt(&SystemPromptConfig { role_definition: role.to_owned(), tone, ..SystemPromptConfig::default() })
    }

    #[rstest]
    #[case(
        "expert analyst",
        Tone::Professional,
        "You are an expert analyst with extensive knowledge of data analysis, \
        classification and pattern recognition. Your task is to read the data completely, assign it to exactly one category \
        and give the reasons for the choice. Always be precise, be objective, be thorough and be consistent."
    )]
    #[case("clerk.", Tone::Casual, "You're a clerk who knows a lot about data analysis")]
    #[case("the head of support", Tone::Formal, "You shall act as the head of support with proven competence in")]
    #[case("clerk", Tone::Technical, "Role: clerk. Domain knowledge: data analysis")]
    #[case("You sort mail.", Tone::Formal, "You sort mail with proven competence in")]
    fn each_tone_has_its_sentences(#[case] role: &str, #[case] tone: Tone, #[case] expected: &str) {
        let text = with_role(role, tone);
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn parts_without_texts_are_left_out() {
        let config = SystemPromptConfig {
            role_definition: "clerk {x}".to_owned(),
            expertise_areas: Vec::new(),
            include_task_context: false,
            behavioral_guidelines: vec!["be brief.".to_owned()],
            ..SystemPromptConfig::default()
        };
        assert_eq!(system_prompt(&config), "You are a clerk {x}. Always be brief.");
    }
}
