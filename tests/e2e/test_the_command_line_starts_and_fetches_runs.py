"""`bedrock-batch start --wait`, `status`, `show` and `download`, with the exit codes that scripts rely on."""

import json
import uuid

import pyarrow.parquet as pq
import pytest

from stack.command_line import command_line
from stack.inputs import csv_text, topic_table
from stack.prompts import sent_texts
from stack.run import Run

COUNT = 230


@pytest.fixture(scope="module")
def bedrock_batch(stack):
    return command_line(stack)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An execution input that names a local file beside it."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "topics.csv").write_bytes(csv_text(topic_table(COUNT)))
    request = {
        "s3_uri": "topics.csv",
        "job_name_prefix": "cli",
        "model_id": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "prompt_id": "joke_about_topic",
        "max_records_per_job": 120,
    }
    (folder / "run.json").write_text(json.dumps(request))
    (folder / "bad.json").write_text(json.dumps(request | {"max_num_jobs": 0}))
    (folder / "nowhere.json").write_text(json.dumps(request | {"s3_uri": "nowhere.csv"}))
    (folder / "broken.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def started(stack, bedrock_batch, folder):
    """A run that was started and watched, and what was shown."""
    name = f"cli-{uuid.uuid4().hex[:8]}"
    done = bedrock_batch("start", folder / "run.json", "--name", name, "--wait")
    return Run(stack, name), done


def test_start_uploads_the_local_file_and_waits_for_the_end(started):
    run, done = started
    assert run.status == "SUCCEEDED"
    assert run.rows["topic"].to_pylist() == topic_table(COUNT)["topic"].to_pylist()
    assert done.stdout.splitlines()[0] == run.name, "the name is what a script reads"


def test_start_shows_progress_and_totals(started):
    _, done = started
    assert f"2 done of 2; records: {COUNT} of {COUNT}" in done.stderr
    assert f"{COUNT} in, {COUNT} answered, 0 failed, 0 skipped" in done.stdout


def test_start_without_waiting_prints_the_name(stack, bedrock_batch, folder):
    name = bedrock_batch("start", folder / "run.json").stdout.strip()
    assert name.startswith("cli-")
    assert Run(stack, name).wait().summary["answered"] == COUNT


def test_start_of_a_folder_uploads_its_files(stack, bedrock_batch, folder):
    parts = folder / "parts"
    parts.mkdir()
    for index in range(2):
        (parts / f"{index}.csv").write_bytes(csv_text(topic_table(60, index * 60)))
    request = json.loads((folder / "run.json").read_text()) | {"s3_uri": "parts"}
    (folder / "folder.json").write_text(json.dumps(request))
    name = f"cli-{uuid.uuid4().hex[:8]}"
    bedrock_batch("start", folder / "folder.json", "--name", name, "--wait")
    assert Run(stack, name).rows["topic"].to_pylist() == topic_table(120)["topic"].to_pylist()


def test_start_sends_the_prompts_of_a_folder_that_the_input_names(stack, bedrock_batch, folder):
    prompts = folder / "prompts"
    prompts.mkdir()
    (prompts / "haiku.toml").write_text('description = "d"\ntemplate = "Write a haiku about {topic}."')
    (prompts / "unused.toml").write_text('description = "d"\ntemplate = "{nothing}"')
    request = json.loads((folder / "run.json").read_text()) | {"prompt_id": "haiku"}
    (folder / "haiku.json").write_text(json.dumps(request))
    name = f"cli-{uuid.uuid4().hex[:8]}"
    done = bedrock_batch("start", folder / "haiku.json", "--prompt-templates", prompts, "--name", name, "--wait")
    assert "sending the prompts `haiku` of " in done.stderr
    run = Run(stack, name)
    assert set(sent_texts(run)) == {
        f"Write a haiku about {topic}." for topic in topic_table(COUNT)["topic"].to_pylist()
    }
    assert run.summary["answered"] == COUNT


def test_bad_input_is_refused_before_anything_is_uploaded_or_started(stack, bedrock_batch, folder):
    before, name = stack.keys("inputs/"), f"cli-{uuid.uuid4().hex}"
    done = bedrock_batch("start", folder / "bad.json", "--name", name, "--wait", exit_code=2)
    assert "max_num_jobs is `0`" in done.stderr
    assert "nothing was uploaded or started; `--unchecked` starts it nevertheless" in done.stderr
    assert stack.keys("inputs/") == before
    assert f"run `{name}` does not exist" in bedrock_batch("status", name, exit_code=2).stderr


def test_an_unchecked_bad_input_ends_with_1_and_says_why(bedrock_batch, folder):
    name = f"cli-{uuid.uuid4().hex}"
    done = bedrock_batch("start", folder / "bad.json", "--name", name, "--wait", "--unchecked", exit_code=1)
    assert "InvalidInput" in done.stderr
    assert "max_num_jobs is `0`" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("start", "{folder}/nowhere.json"), "nowhere.csv"),
        (("start", "{folder}/broken.json"), "broken.json is not valid JSON"),
        (("start", "{folder}/missing.json"), "missing.json"),
        (("status", "no-such-run"), "run `no-such-run` does not exist"),
        (("download", "no-such-run", "{folder}/none"), "run `no-such-run` has no plan yet"),
        (("show", "no-such-run"), "run `no-such-run` has no plan yet"),
    ],
)
def test_an_impossible_command_ends_with_2_and_says_why(bedrock_batch, folder, arguments, says):
    arguments = [argument.replace("{folder}", str(folder)) for argument in arguments]
    assert says in bedrock_batch(*arguments, exit_code=2).stderr


def test_status_of_a_successful_run(started, bedrock_batch):
    run, _ = started
    shown = bedrock_batch("status", run.name).stdout
    assert f"run {run.name}: SUCCEEDED" in shown
    assert f"2 done of 2; records: {COUNT} of {COUNT}" in shown


def test_status_of_a_run_that_failed_says_why(stack, bedrock_batch):
    run = stack.play(stack.joke("s3://somebody-else/rows.csv"), "cli-failed")
    shown = bedrock_batch("status", run.name).stdout
    assert "FAILED" in shown
    assert "somebody-else" in shown


def test_download_brings_the_files_and_all_rows_as_jsonl(started, bedrock_batch, tmp_path):
    run, _ = started
    bedrock_batch("download", run.name, tmp_path / "answers")
    names = sorted(path.name for path in (tmp_path / "answers").iterdir())
    assert names == ["0000.parquet", "0001.parquet", "answers.jsonl"]
    rows = run.rows.to_pylist()
    from_parquet = [row for name in names[:2] for row in pq.read_table(tmp_path / "answers" / name).to_pylist()]
    assert from_parquet == rows
    lines = (tmp_path / "answers" / "answers.jsonl").read_text().split("\n")
    from_jsonl = [json.loads(line) for line in lines if line]
    # A null is left out of a JSON line.
    assert from_jsonl == [{name: cell for name, cell in row.items() if cell is not None} for row in rows]


def test_show_prints_the_first_answers(started, bedrock_batch):
    run, _ = started
    header, _, *rows = bedrock_batch("show", run.name, "--rows", "3").stdout.splitlines()
    assert header.split() == ["record_id", "topic", "response"], "without errors there is no column of them"
    assert [row.split()[0] for row in rows] == [f"r{position:09}" for position in range(3)]
    assert all(topic in row for topic, row in zip(topic_table(3)["topic"].to_pylist(), rows, strict=True))


def test_show_prints_errors_where_there_are_any(stack, bedrock_batch):
    texts = "\n".join(['""', *(f"text {number}" for number in range(100))])
    uri = stack.put_input(f"input_text\n{texts}\n")
    titan = {"model_id": "amazon.titan-embed-text-v2:0", "prompt_id": None, "ask_blank_rows": True}
    run = stack.play(stack.joke(uri, **titan), "cli-errors")
    header, _, first, second = bedrock_batch("show", run.name, "--rows", "2").stdout.splitlines()
    assert header.split() == ["record_id", "embedding", "error"]
    assert "the model refused the record" in first
    assert "the model refused the record" not in second
