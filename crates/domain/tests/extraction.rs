//! Fields of answers as models write them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test that measures time")]
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use bedrock_batch_domain::answer::read_line;
use bedrock_batch_domain::extract::{Extractor, FieldValue, Unparsed};
use bedrock_batch_domain::model::{Family, ReplyPayload};
use bedrock_batch_domain::prompt::Prompt;
use bedrock_batch_domain::row_error::{RowError, RowErrorCode};
use rstest::rstest;
use serde_json::{Value, json};

const AB: &str = "type = \"json\"\nfields = { a = \"$.a\", b = \"$.b\" }";

fn extractor(output_schema: &str, response_schema: &str) -> Extractor {
    let toml = format!("description = \"d\"\ntemplate = \"t\"\n[output_schema]\n{output_schema}\n{response_schema}");
    let prompt = Prompt::parse(&toml).expect("a valid template");
    prompt.extractor().ok().flatten().expect("an output schema")
}

fn extracted(output_schema: &str, text: &str, stop_reason: &str) -> Result<Vec<Option<FieldValue>>, Unparsed> {
    extractor(output_schema, "").extract(text, Some(stop_reason))
}

/// Returns the fields of `text` at the paths `$.a` and `$.b`, as JSON.
fn ab(text: &str) -> Value {
    json!(extracted(AB, text, "end_turn").expect("fields"))
}

#[rstest]
#[case::whole(r#"{"a": 1, "b": "x"}"#)]
#[case::space("\n\n  {\"a\": 1,\r\n\t\"b\": \"x\"}  \n")]
#[case::prose_before(r#"Here is the JSON you asked for: {"a": 1, "b": "x"}"#)]
#[case::prose_after("{\"a\": 1, \"b\": \"x\"}\n\nThese shorts {see photo} are [dark] blue.")]
#[case::fenced("```json\n{\"a\": 1, \"b\": \"x\"}\n```")]
#[case::fenced_in_prose("Sure!\n\n```JSON\n{\"a\": 1, \"b\": \"x\"}\n```\nAnything else?")]
#[case::fenced_without_a_language("Sure:\n```\n{\"a\": 1, \"b\": \"x\"}\n```")]
#[case::fenced_on_one_line("```json {\"a\": 1, \"b\": \"x\"}```")]
#[case::fence_that_never_closes("```json\n{\"a\": 1, \"b\": \"x\"}")]
#[case::the_fence_counts("A draft {\"a\": 0, \"b\": \"draft\"}, better:\n```json\n{\"a\": 1, \"b\": \"x\"}\n```")]
#[case::a_fence_of_other_code("```python\n{\"a\": 0, \"b\": \"y\", }\n```\n```json\n{\"a\": 1, \"b\": \"x\"}\n```")]
#[case::last_of_several("{\"a\": 2, \"b\": \"y\"}\n{\"a\": 1, \"b\": \"x\"}")]
#[case::last_fence(
    "```json\n{\"a\": \"<number>\", \"b\": \"<text>\"}\n```\nAnswer:\n```json\n{\"a\": 1, \"b\": \"x\"}\n```"
)]
#[case::remark_after_the_fence("```json\n{\"a\": 1, \"b\": \"x\"}\n```\nWithout it: {\"a\": 2, \"b\": \"y\"}")]
#[case::part_of_the_fields_after_it("{\"a\": 1, \"b\": \"x\"} because {\"b\": \"x\"} and [1]")]
#[case::cut_off_after_it("{\"a\": 1, \"b\": \"x\"} or {\"a\": 2, \"b")]
#[case::fence_of_four("````json\n{\"a\": 1, \"b\": \"x\"}\n````")]
#[case::wrapped("{\"status\": \"ok\", \"result\": {\"a\": 1, \"b\": \"x\"}}")]
#[case::wrapped_list("{\"results\": [{\"a\": 1, \"b\": \"x\"}]}")]
#[case::list_of_one("[{\"a\": 1, \"b\": \"x\"}]")]
#[case::not_wrapped_wins(
    "{\"result\": {\"a\": 1, \"b\": \"x\"}, \"more\": {}} {\"a\": 1, \"b\": \"x\"} [{\"a\": 2, \"b\": \"y\"}]"
)]
#[case::json_in_a_member(r#"{"answer": "{\"a\": 1, \"b\": \"x\"}"}"#)]
#[case::json_in_json(r#""{\"a\": 1, \"b\": \"x\"}""#)]
#[case::last_brace_missing("{\"a\": 1, \"b\": \"x\"\n")]
#[case::last_brace_of_the_fence_missing("```json\n{\"a\": 1, \"b\": \"x\"\n```\nDone.")]
#[case::full_width("答：｛＂a＂：1，＂b＂：＂x＂｝。")]
#[case::python_in_prose("The answer is {'a': 1, 'b': 'x'}, as said in [1].")]
#[case::broken_outside_of_its_values("{'c': {'a': 0, 'b': 'y'}, 'a': 1, 'b': 'x',}")]
#[case::fence_in_a_repaired_string("{'a': 1, 'b': 'x', 'c': 'not ```{\"a\": 0, \"b\": 1}```'}")]
#[case::quotes_and_a_trailing_comma("{“a”: 1, “b”: “x”,}")]
#[case::placeholder_before("Use {a} and {b}: {\"a\": 1, \"b\": \"x\"}")]
#[case::footnote_before("As the source [1] says: {\"a\": 1, \"b\": \"x\"}")]
#[case::other_object_before("{\"note\": \"draft\"} {\"a\": 1, \"b\": \"x\"}")]
#[case::broken_object_before("{\"a\": 0, \"b\": } is wrong. {\"a\": 1, \"b\": \"x\"}")]
#[case::remark_after_a_broken_block(
    "```json\n{\"a\": 1, \"b\": \"x\"}\n```\n```json\n{\"a\": oops}\n```\nNot {\"a\": 2, \"b\": \"y\"}."
)]
#[case::reasoning("<thinking>Say {\"a\": 0} or [1]? \"Hm.</thinking>\n{\"a\": 1, \"b\": \"x\"}")]
#[case::reasoning_twice("<think>{</think>\n<Reasoning>{\"a\": 0}</Reasoning>{\"a\": 1, \"b\": \"x\"}")]
#[case::reasoning_after_words("Let me see. <reasoning>{\"a\": 0}</reasoning> So: {\"a\": 1, \"b\": \"x\"}")]
#[case::reasoning_begun_in_the_prompt("First {\"a\": 0}, then…\n</think>\n{\"a\": 1, \"b\": \"x\"}")]
#[case::reasoning_never_closed("<thinking>Easy.\n{\"a\": 1, \"b\": \"x\"}")]
#[case::byte_order_mark("\u{feff}{\"a\": 1, \"b\": \"x\"}")]
#[case::nested("{\"a\": 1, \"b\": \"x\", \"c\": {\"a\": [{\"a\": 2}]}} {")]
#[case::last_name_counts(r#"{"a": 0, "a": 1, "b": "x"}"#)]
fn the_json_value_is_found(#[case] text: &str) {
    assert_eq!(ab(text), json!([1, "x"]));
}

#[rstest]
#[case::braces_in_strings(r#"x {"a": "} ] {", "b": "```json {\"a\": 1}"} y"#, json!(["} ] {", "```json {\"a\": 1}"]))]
#[case::escaped_quotes(r#"{"a": "a \"b\" }", "b": "\\"} x"#, json!(["a \"b\" }", "\\"]))]
#[case::tag_in_a_string(r#"{"a": "</think> {\"a\": 2}", "b": "<think>"}"#, json!(["</think> {\"a\": 2}", "<think>"]))]
#[case::draft_in_reasoning_begun_in_the_prompt("Draft {\"a\": 0, \"b\": \"y\"}\n</think>\n{\"a\": 1}", json!([1, null]))]
#[case::fence_in_a_string("{\"a\": \"```json\\n{}\\n```\", \"b\": 2}", json!(["```json\n{}\n```", 2]))]
#[case::escapes(r#"{"a": "\u00e9\ud83d\ude00\n", "b": "tab\t"}"#, json!(["é😀\n", "tab\t"]))]
#[case::german(r#"{"a": "Das „Beste“ Hemd", "b": "‚gut‘"}"#, json!(["Das „Beste“ Hemd", "‚gut‘"]))]
#[case::german_broken(r#"{"a": "Das „Beste" Hemd {", "b": "x"} Ende „x""#, json!(["Das \"Beste\" Hemd {", "x"]))]
#[case::french(r#"{"a": "« L’été » {", "b": "‹x›"}"#, json!(["« L’été » {", "‹x›"]))]
#[case::french_beside_broken(r#"{"a": "« L’été »", "b": "„x" y"}"#, json!(["« L'été »", "\"x\" y"]))]
#[case::cjk(r#"{"a": "「黒」『靴』〝x〟＂", "b": "“黑色”"}"#, json!(["「黒」『靴』〝x〟＂", "“黑色”"]))]
#[case::curly_delimiters("{“a”: “x”, “b”: “y's”}", json!(["x", "y's"]))]
#[case::fenced_german("```json\n{\"a\": \"„x\" {y\", \"b\": 1}\n```", json!(["\"x\" {y", 1]))]
#[case::numbers(r#"{"a": 9007199254740993, "b": -1.5e2}"#, json!([9_007_199_254_740_993_i64, -150.0]))]
#[case::null_and_missing(r#"{"a": null}"#, json!([null, null]))]
#[case::missing(r#"{"b": false}"#, json!([null, false]))]
#[case::array_and_object(r#"{"a": ["x", 1, null, {"k": [2]}], "b": {"k": {"l": 1}}}"#,
    json!([["x", "1", null, "{\"k\":[2]}"], "{\"k\":{\"l\":1}}"]))]
fn fields_are_returned_unchanged(#[case] text: &str, #[case] expected: Value) {
    assert_eq!(ab(text), expected);
}

#[test]
fn an_answer_stays_whatever_comes_after_it() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let hostile = format!("[{}]", vec![deep; 100].join(","));
    let schema = "type = \"json\"\nfields = { f = \"$.a..n\" }";
    let found = extracted(schema, &format!("{{\"a\": {{\"n\": \"p\"}}}} {hostile}"), "end_turn").unwrap();
    assert_eq!(serde_json::to_value(found).unwrap(), json!(["p"]));
    assert_eq!(extracted(schema, &hostile, "end_turn"), Err(Unparsed::TooComplex), "by itself");
}

#[rstest]
#[case::several("$.items[*].n", r#"{"items": [{"n": "p"}, {"n": 2}]}"#, json!([["p", "2"]]))]
#[case::one("$.items[*].n", r#"{"items": [{"n": "p"}]}"#, json!(["p"]))]
#[case::top_array("$[*].n", r#"Here: [{"n": "p"}, {"n": "q"}]"#, json!([["p", "q"]]))]
#[case::top_array_of_one("$[0]", "[true]", json!([true]))]
#[case::scalar("$", " 42\n", json!([42]))]
#[case::whole_object("$", "{\"b\": 1, \"a\": 2} x", json!(["{\"a\":2,\"b\":1}"]))]
fn a_path_reads_any_value(#[case] path: &str, #[case] text: &str, #[case] expected: Value) {
    let schema = format!("type = \"json\"\nfields = {{ f = \"{path}\" }}");
    let fields = extracted(&schema, text, "end_turn").unwrap();
    assert_eq!(serde_json::to_value(fields).unwrap(), expected);
}

#[rstest]
#[case("", "end_turn", Unparsed::NoJson)]
#[case("I cannot tell.", "end_turn", Unparsed::NoJson)]
#[case("I [really] cannot.", "end_turn", Unparsed::NoJson)]
#[case("I cannot te", "max_tokens", Unparsed::CutOff)]
#[case("<think>Hm, {\"a\": 1}", "max_tokens", Unparsed::CutOff)]
#[case(r#"{"a": "x", "b": "cut"#, "max_tokens", Unparsed::CutOff)]
#[case(r#"{"a": [{"a": 1}, {"a"#, "max_tokens", Unparsed::CutOff)]
#[case(r#"{"b": {"a": "1}"#, "end_turn", Unparsed::Unended)]
#[case(r#"{"b": {"a": 1}"#, "max_tokens", Unparsed::CutOff)]
#[case(r#"{"b": {"a": 1},"#, "end_turn", Unparsed::Unended)]
#[case("```json\n{\"a\": tr", "length", Unparsed::CutOff)]
#[case(r#"{"a": "Das „Beste" He"#, "end_turn", Unparsed::Unended)]
#[case("So:\n{\"a\": 1,\n \"ü\": x}", "end_turn", Unparsed::Broken { line: 3, column: 7 })]
#[case("<think>\n</think>ü {a: b}", "end_turn", Unparsed::Broken { line: 2, column: 12 })]
#[case("{\"a\": \"line\nbreak\" x}", "end_turn", Unparsed::Broken { line: 2, column: 1 })]
#[case(r#"{"c": 1}"#, "end_turn", Unparsed::NoFields)]
#[case(r#"[{"a": 1}, {"a": 2}]"#, "end_turn", Unparsed::NoFields)]
#[case(r#"{"one": {"a": 1}, "two": {"a": 2}}"#, "end_turn", Unparsed::NoFields)]
#[case(r#"[[[[{"a": 1}]]]]"#, "end_turn", Unparsed::NoFields)]
#[case(r#"{"c": "some text"} in {place}"#, "end_turn", Unparsed::NoFields)]
#[case("Note [1].", "end_turn", Unparsed::NoFields)]
#[case("Note [1]. {\"a\": 1,:}", "end_turn", Unparsed::Broken { line: 1, column: 19 })]
fn unparsable_answers_are_reported_with_the_reason(
    #[case] text: &str,
    #[case] stop_reason: &str,
    #[case] expected: Unparsed,
) {
    assert_eq!(extracted(AB, text, stop_reason).unwrap_err(), expected);
    let error = RowError::from(&expected);
    assert!(!error.reason.words().is_empty() && !error.to_string().is_empty());
}

#[rstest]
#[case(r#"{"x": "</think> [1] "#)]
#[case(r#"{"x": "```json [1] ``` "#)]
fn content_of_a_truncated_string_is_not_a_value(#[case] text: &str) {
    let schema = "type = \"json\"\nfields = { f = \"$\" }";
    assert_eq!(extracted(schema, text, "end_turn"), Err(Unparsed::Unended));
    assert_eq!(extracted(schema, text, "max_tokens"), Err(Unparsed::CutOff));
}

#[test]
fn a_complete_value_counts_even_if_the_text_after_it_is_truncated() {
    assert_eq!(extracted(AB, "{\"a\": 1} and the", "max_tokens").unwrap()[0], Some(FieldValue::Number(1.into())));
}

#[test]
fn patterns_without_a_match_are_reported() {
    let schema = "type = \"regex\"\n[output_schema.fields]\ncolor = 'Color:\\s*(\\w+)'\nsize = 'Size:\\s*(\\w+)'";
    let fields = extracted(schema, "color: blue", "end_turn").unwrap();
    assert_eq!(fields, [Some(FieldValue::Text("blue".to_owned())), None]);
    assert_eq!(extracted(schema, "blue", "end_turn"), Err(Unparsed::NoMatch));
    assert_eq!(extracted(schema, "blue", "max_tokens"), Err(Unparsed::CutOff));
}

#[test]
fn thinking_blocks_are_not_part_of_the_answer() {
    let line = r#"{"recordId":"r","modelOutput":{"content":[{"type":"thinking","thinking":"{\"a\": 0}","signature":"s"},{"type":"text","text":"{\"a\": 1, "},{"type":"text","text":"\"b\": \"x\"}"}],"stop_reason":"end_turn"}}"#;
    let reply = read_line(Family::AnthropicMessages, line.as_bytes()).unwrap().outcome.unwrap();
    let Some(ReplyPayload::Text(text)) = reply.payload else { panic!("no text") };
    assert_eq!(ab(&text), json!([1, "x"]));
}

#[rstest]
#[case("{", "\"a\": 1, \"b\": \"x\"}")]
#[case("{", "{\"a\": 1, \"b\": \"x\"}")]
#[case("```json\n{\"a\":", " 1, \"b\": \"x\"}\n```")]
#[case("<thinking>", "Well {…}</thinking>{\"a\": 1, \"b\": \"x\"}")]
fn an_answer_continues_its_prefill(#[case] prefill: &str, #[case] answer: &str) {
    assert_eq!(ab(&format!("{prefill}{answer}")), json!([1, "x"]));
}

const RESPONSE_SCHEMA: &str = "[response_schema]\ntype = \"object\"\nrequired = [\"a\"]\n[response_schema.properties.a]\ntype = \"number\"\nmaximum = 1\n[response_schema.properties.b]\npattern = \"^x+$\"";

#[rstest]
#[case(r#"{"a": 0.5, "b": "xx"}"#, None)]
#[case(r#"{"b": "x"}"#, Some(r#"at the top: "a" is a required property"#))]
#[case(r#"{"a": "secret"}"#, Some(r#"at /a: value is not of type "number""#))]
#[case(r#"{"a": 2}"#, Some("at /a: value is greater than the maximum of 1"))]
#[case(r#"{"a": 1, "b": "secret"}"#, Some(r#"at /b: value does not match "^x+$""#))]
fn the_response_schema_is_checked(#[case] text: &str, #[case] expected: Option<&str>) {
    let extractor = extractor(AB, RESPONSE_SCHEMA);
    match (extractor.extract(text, Some("max_tokens")), expected) {
        (Ok(_), None) => {}
        (Err(error), Some(expected)) => {
            assert!(error.to_string().ends_with(expected), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
            assert_eq!(RowError::from(&error).reason.code, RowErrorCode::SchemaMismatch);
        }
        (other, _) => panic!("{other:?}"),
    }
}

#[rstest]
#[case::draft_that_breaks_a_rule(r#"{"a": 2, "b": "xx"} No: {"a": 1, "b": "x"}"#, json!([1, "x"]))]
#[case::remark_that_breaks_a_rule(r#"{"a": 1, "b": "x"} and not {"a": 2, "b": "xx"}"#, json!([1, "x"]))]
#[case::wrapped_value_that_matches(r#"{"a": "?", "b": {"a": 1, "b": "x"}} or {"r": {"a": 1, "b": "x"}}"#, json!([1, "x"]))]
fn the_last_value_that_matches_the_schema_counts(#[case] text: &str, #[case] expected: Value) {
    let fields = extractor(AB, RESPONSE_SCHEMA).extract(text, Some("end_turn")).unwrap();
    assert_eq!(json!(fields), expected);
}

#[test]
fn of_several_values_that_break_a_rule_the_last_one_says_why() {
    let error = extractor(AB, RESPONSE_SCHEMA).extract(r#"{"a": "?"} {"a": 2}"#, Some("end_turn")).unwrap_err();
    assert!(error.to_string().ends_with("at /a: value is greater than the maximum of 1"), "{error}");
}

#[rstest]
#[case::without_a_schema("$.a", "", json!(["9400111899223344556677"]))]
#[case::in_a_list("$.l", "", json!([["9400111899223344556677", "1"]]))]
#[case::negative("$.n", "", json!(["-9223372036854775809"]))]
#[case::within_64_bits("$.u", "", json!([u64::MAX]))]
#[case::float("$.f", "", json!([0.1]))]
#[case::number_by_the_schema("$.a", "properties.a.type = \"number\"", json!(["9400111899223344556677".parse::<f64>().unwrap()]))]
#[case::text_by_the_schema("$.a", "properties.a.type = \"string\"", json!(["9400111899223344556677"]))]
fn digits_that_no_number_holds_are_kept(#[case] path: &str, #[case] schema: &str, #[case] expected: Value) {
    let text = r#"Parcel: {"a": 9400111899223344556677, "l": [9400111899223344556677, 1], "n": -9223372036854775809,
        "u": 18446744073709551615, "f": 0.1000000000000000055511151231257827}"#;
    let schema = if schema.is_empty() { String::new() } else { format!("[response_schema]\n{schema}") };
    let extractor = extractor(&format!("type = \"json\"\nfields = {{ f = \"{path}\" }}"), &schema);
    assert_eq!(serde_json::to_value(extractor.extract(text, Some("end_turn")).unwrap()).unwrap(), expected);
}

#[test]
fn values_of_128_levels_are_not_read_and_nothing_breaks() {
    let deep = |depth: usize| format!("{{\"a\": {}1{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(extracted(AB, &deep(120), "end_turn").is_ok());
    assert!(extracted(AB, &deep(200), "end_turn").is_err());
}

#[rstest]
#[case(r#"{"a": 1, "b": "x"}"#, false)]
#[case(r#"{'a': 1, 'b': "x"}"#, true)]
#[case("{“a”: 1}", true)]
#[case("{\"a\": \"\\ud83d\"}", true)]
#[case(r#"[{"a": 1}]"#, false)]
#[case("｛'a'：1｝", true)]
fn repaired_answers_are_reported(#[case] text: &str, #[case] repaired: bool) {
    let extraction = extractor(AB, "").extract_with_changes(text, Some("end_turn")).unwrap();
    assert_eq!(extraction.repaired, repaired);
}

#[test]
fn a_schema_may_refer_to_itself() {
    let schema = "[response_schema]\n\"$ref\" = \"#/$defs/tree\"\n[response_schema.\"$defs\".tree]\ntype = \"object\"\nproperties.a.\"$ref\" = \"#/$defs/tree\"";
    let extractor = extractor(AB, schema);
    assert!(extractor.extract(r#"{"a": {"a": {"a": {}}}}"#, None).is_ok());
    assert!(extractor.extract(r#"{"a": {"a": {"a": 1}}}"#, None).is_err());
}

/// Takes about a second in a debug build. To measure a release build:
/// `cargo test --release -p bedrock-batch-domain --test extraction -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn time_of_a_hundred_thousand_answers() {
    let schema = "type = \"json\"\nfields = { a = \"$.title\", b = \"$.description\", c = \"$.confidence\", d = \"$.keywords\", e = \"$.color\" }";
    let extractor = extractor(schema, "");
    for length in [150, 800] {
        let answer = json!({"title": "A fine „title“", "description": "d".repeat(length), "confidence": 0.9,
            "color": "dark blue", "keywords": ["one", "two", "three"]});
        let answer = serde_json::to_string_pretty(&answer).unwrap();
        for text in [
            answer.clone(),
            format!("{answer}\n\nThe photo shows a {{fine}} thing."),
            format!("Here:\n```json\n{answer}\n```"),
        ] {
            let start = std::time::Instant::now();
            for _ in 0..100_000 {
                assert!(extractor.extract(std::hint::black_box(&text), Some("end_turn")).is_ok());
            }
            eprintln!("100,000 answers of {} bytes: {:?}", text.len(), start.elapsed());
        }
    }
}
