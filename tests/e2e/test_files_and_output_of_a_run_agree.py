"""plan.json, jobs.json and summary.json agree with the output of the execution; the plan contains the prompt itself."""

from stack.checks import template_of
from stack.inputs import csv_text, topic_table

COUNT = 250


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    return stack.play(
        stack.joke(uri, job_name_prefix="my_prefix  v2", max_records_per_job=100, max_records_total=200), "papers"
    )


def test_the_summary_is_the_output(played):
    assert played.json("summary.json") == played.output


def test_the_plan_counts_what_the_summary_counts(played):
    counts, summary = played.plan["counts"], played.summary
    assert (counts["rows"], counts["records"], counts["jobs"]) == (COUNT, 200, 2)
    assert (summary["records_in"], summary["jobs"], summary["rounds"]) == (COUNT, 2, 1)
    assert counts["skipped"] == summary["skipped_reasons"] == {"over max_records_total": 50}


def test_the_manifest_names_the_jobs_and_their_files(played):
    manifest = played.json("jobs.json")
    assert [job["index"] for job in manifest] == [0, 1]
    for item, job in zip(manifest, played.jobs, strict=True):
        assert (item["name"], item["input_uri"], item["output_uri"]) == (
            job["jobName"],
            job["inputS3Uri"],
            job["outputS3Uri"],
        )


def test_the_plan_holds_the_prompt_so_that_a_changed_template_changes_nothing(played):
    assert played.plan["prompts"]["prompts"][0]["prompt"]["template"] == template_of("joke_about_topic")


def test_the_plan_names_the_request_and_the_sources(played):
    plan = played.plan
    (source,) = plan["sources"]
    assert source["uri"] == plan["request"]["s3_uri"]
    assert source["bytes"] == len(csv_text(topic_table(COUNT)))
    assert plan["columns"] == [{"name": "topic", "origin": "input"}]
    assert plan["execution_arn"] == played.arn
    assert plan["request"]["inference"]["max_tokens"] == 1024


def test_tokens_and_price_make_the_cost(played):
    summary = played.summary
    (price,) = summary["prices"]
    assert (price["model_id"], price["lane"]) == (played.plan["request"]["model_id"], "batch")
    assert price["as_of"] == played.plan["model"]["prices_as_of"]
    tokens = summary["input_tokens"] * price["input"] + summary["output_tokens"] * price["output"]
    assert summary["cost_usd"] > 0
    assert abs(summary["cost_usd"] - tokens / 1_000_000) < 1e-9


def test_names_are_cleaned_for_bedrock(played):
    assert played.plan["request"]["job_name_prefix"] == "my-prefix-v2"
    assert all(job["jobName"].startswith("my-prefix-v2-") for job in played.jobs)


def test_files_lie_where_the_layout_says(played):
    run, prefix = played.name, "my-prefix-v2"
    keys = played.stack.keys("")
    own = {key for key in keys if f"/{run}/" in key and not key.startswith("batch_outputs_json/")}
    assert own == {
        *(f"batch_inputs_json/{prefix}/{run}/{index:04}.jsonl" for index in range(2)),
        *(f"batch_inputs_parquet/{prefix}/{run}/{index:04}.parquet" for index in range(2)),
        *(f"batch_output_parquet/{prefix}/{run}/{index:04}.parquet" for index in range(2)),
        f"runs/{run}/claim.json",
        f"runs/{run}/models.json",
        f"runs/{run}/plan.json",
        f"runs/{run}/jobs.json",
        f"runs/{run}/summary.json",
    }
