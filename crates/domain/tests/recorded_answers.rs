//! Answer lines that Bedrock really wrote. They are not part of the repository: `BEDROCK_BATCH_SAMPLES` names the folder
//! that holds them, and without it this test says that it skips.

use bedrock_batch_domain::answer::read_line;
use bedrock_batch_domain::model::{Family, ReplyPayload};
use std::path::Path;

#[test]
fn every_recorded_answer_is_read_as_bedrock_wrote_it() {
    let Some(samples) = std::env::var_os("BEDROCK_BATCH_SAMPLES") else {
        eprintln!("SKIPPED: BEDROCK_BATCH_SAMPLES names no folder of recorded answers");
        return;
    };
    for file in ["stage_1_output.jsonl", "stage_2_output.jsonl"] {
        let text = std::fs::read_to_string(Path::new(&samples).join("clothing").join(file)).unwrap();
        assert_eq!(text.lines().count(), 100);
        for line in text.lines() {
            let whole: serde_json::Value = serde_json::from_str(line).unwrap();
            let answer = read_line(Family::AnthropicMessages, line.as_bytes()).unwrap();
            assert_eq!(answer.record_id, whole["recordId"].as_str().unwrap());
            let reply = answer.outcome.unwrap();
            let expected = whole["modelOutput"]["content"][0]["text"].as_str().unwrap();
            assert_eq!(reply.payload, Some(ReplyPayload::Text(expected.into())));
            assert_eq!(reply.stop_reason.as_deref(), whole["modelOutput"]["stop_reason"].as_str());
            assert_eq!(reply.output_tokens, whole["modelOutput"]["usage"]["output_tokens"].as_u64());
        }
    }
}
