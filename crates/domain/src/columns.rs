//! Names of the columns that a run adds, and what happens to a user's columns of the same name.

use std::collections::HashSet;

/// The column that identifies a row, in every file of a run.
pub const RECORD_ID: &str = "record_id";
/// In the rows files only: why a row was not sent to the model (null for those that were). Not a name that a user's
/// column may have.
pub const NOT_SENT: &str = "bedrock_batch:not_sent";
/// In the files of duplicates only: the `record_id` of the row that was asked in this row's place.
pub const SAME_AS: &str = "bedrock_batch:same_as";
/// In the files of duplicates only: the position of that row in the input, from 0 on.
pub const SAME_AS_ROW: &str = "bedrock_batch:same_as_row";
/// Columns of the rows files that a user's input may not have and that no output has.
pub const INTERNAL: [&str; 3] = [NOT_SENT, SAME_AS, SAME_AS_ROW];
/// The answer's text.
pub const RESPONSE: &str = "response";
/// The embedding: a list of 32-bit floats.
pub const EMBEDDING: &str = "embedding";
/// Why there is no answer; null where there is one.
pub const ERROR: &str = "error";
/// Why the model stopped.
pub const STOP_REASON: &str = "stop_reason";
/// Tokens read for this row.
pub const INPUT_TOKENS: &str = "input_tokens";
/// Tokens written for this row.
pub const OUTPUT_TOKENS: &str = "output_tokens";

/// How often the row's record was sent to the model; 0 if never.
pub const ATTEMPTS: &str = "attempts";
/// The model that answered.
pub const MODEL_ID: &str = "model_id";
/// The prompt that was asked.
pub const PROMPT_ID: &str = "prompt_id";

/// All columns that a run adds but the fields of a prompt: names that no field may have.
pub const ADDED: [&str; 10] =
    [RECORD_ID, RESPONSE, EMBEDDING, ERROR, STOP_REASON, INPUT_TOKENS, OUTPUT_TOKENS, ATTEMPTS, MODEL_ID, PROMPT_ID];

/// The name under which each of `existing` columns goes on when `added` ones come: its own, or `<origin>_<name>` where
/// an added column takes the name (`input_response`; further `<origin>_` in front as long as that is taken too).
pub fn names_beside(existing: &[String], added: &[&str], origin: &str) -> Vec<String> {
    let mut taken: HashSet<String> = added.iter().map(|name| (*name).to_owned()).collect();
    taken.extend(existing.iter().filter(|name| !added.contains(&name.as_str())).cloned());
    let renamed = existing.iter().map(|name| {
        if !added.contains(&name.as_str()) {
            return name.clone();
        }
        let mut new_name = format!("{origin}_{name}");
        while !taken.insert(new_name.clone()) {
            new_name = format!("{origin}_{new_name}");
        }
        new_name
    });
    renamed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clash_renames_the_older_column_and_never_loses_one() {
        let existing = ["a", "response", "input_response", "error"].map(str::to_owned);
        let names = names_beside(&existing, &[RESPONSE, ERROR], "input");
        assert_eq!(names, ["a", "input_input_response", "input_response", "input_error"]);
    }
}
