"""Hostile names, cells, answers, keys, causes and files, through every way out: the command, causes of executions, emails,
logs. And the files that the command writes and reads, among links and names that lead elsewhere."""

import io
import json
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stack.command_line import command_line
from stack.contract import PREFIXES, function_name
from stack.inputs import csv_text
from stack.local import command_line_program
from stack.printable import FORGED, HOSTILE, hidden_in
from stack.waiting import wait_for

LONG_KEY = "k" * 180_000
MAX_CAUSE_CHARS = 32_768
COLUMN = f"note{HOSTILE}"
# As it is read of a CSV, without invisible characters; those that terminals obey stay.
COLUMN_AS_READ = f"note{HOSTILE}".replace("\u202e", "").partition("\u2066")[0]
ON_DEMAND = {"processing_mode": "realtime"}


def play(stack):
    """A run of hostile cells, one that a hostile input fails, and one that is stopped with a hostile cause."""
    table = pa.table({"topic": [f"{HOSTILE} cats", "=cmd|' /C calc'!A0", "dogs"], COLUMN: [HOSTILE, "", FORGED]})
    rows = stack.put_input(csv_text(table))
    slow = ON_DEMAND | {"requests_per_second": 0.1, "max_workers": 1}
    hostile_keys = {FORGED: 1, LONG_KEY: FORGED, "prompt_id": FORGED * 100, "inference": {HOSTILE: HOSTILE}}
    runs = {
        "well": stack.start(stack.joke(rows, **ON_DEMAND), "hostile-well"),
        "refused": stack.start(stack.joke(rows) | hostile_keys, "hostile-refused"),
        "stopped": stack.start(stack.joke(rows, **slow), "hostile-stopped"),
        "elsewhere": stack.start(stack.joke(f"s3://{stack.bucket}/inputs/{HOSTILE}.csv"), "hostile-elsewhere"),
    }
    stopped = runs["stopped"]
    wait_for("the run to be under way", lambda: stack.keys(f"{PREFIXES['RUNS']}/{stopped.run_id}/plan.json"))
    stack.step_functions.stop_execution(executionArn=stopped.arn, error=HOSTILE, cause=FORGED * 50)
    for run in runs.values():
        run.wait()
    spoil(stack, runs["well"])
    return runs


def spoil(stack, run):
    """Replaces what the run wrote by what an attacker who may write to the bucket would leave there."""
    (path,) = run.output["output_paths"]
    folder = path.rpartition("/")[0].removeprefix(f"s3://{stack.bucket}/")
    table = run.tables[0]
    at = table.column_names.index("response")
    table = table.set_column(at, "response", pa.array([FORGED, HOSTILE * 2000, "\u0301" * 100_000]))
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    stack.put(path.removeprefix(f"s3://{stack.bucket}/"), buffer.getvalue())
    for name in (
        "evil\u202e\x9b2J.parquet",
        "..%2f..%2fevil.parquet",
        "0001.parquet",
        "sub/0000.parquet",
        "..\\evil.csv",
    ):
        stack.put(f"{folder}/{name}", b"not of this run")
    summary = run.json("summary.json")
    counts = {f"{number} {FORGED}": 1 for number in range(200)} | {HOSTILE * 1000: 7}
    summary["summary"] |= {"failed_reasons": counts, "warnings": counts, "fell_back": counts, "changed_values": counts}
    summary |= {"output_prefix": FORGED, "copied_to": FORGED, "status": FORGED}
    stack.put(f"{PREFIXES['RUNS']}/{run.run_id}/summary.json", json.dumps(summary))


@pytest.fixture(scope="module")
def runs(played):
    return played


@pytest.fixture
def bedrock_batch(stack):
    """The command, whose output is checked whenever it is called."""
    call = command_line(stack)

    def checked(*arguments, exit_code: int = 0) -> subprocess.CompletedProcess:
        done = call(*arguments, exit_code=exit_code)
        for printed in (done.stdout, done.stderr):
            assert not hidden_in(printed), arguments
            assert not [line for line in printed.splitlines() if line.startswith(("run forged", "WHAT TO DO"))], printed
            assert len(printed) < 200_000, arguments
        return done

    return checked


def test_show_prints_hostile_cells_answers_and_names(runs, bedrock_batch):
    shown = bedrock_batch("show", runs["well"].name).stdout.splitlines()
    assert len(shown) == 5, "a cell is on one line"
    assert "\ufffd" in shown[2], "what is not shown is marked"
    assert bedrock_batch("show", runs["well"].name, "--columns", COLUMN_AS_READ).stdout
    error = bedrock_batch("show", runs["well"].name, "--columns", FORGED, exit_code=2).stderr
    assert "the columns are record_id, topic, " in error


def test_status_prints_hostile_totals_reasons_and_causes(runs, bedrock_batch):
    totals = bedrock_batch("status", runs["well"].name).stdout
    assert "\nrun forged" not in totals
    assert "other reasons, see summary.json" in totals
    for name in ("refused", "stopped"):
        assert "curl evil" in bedrock_batch("status", runs[name].name).stdout
    bedrock_batch("status", runs["elsewhere"].name)


@pytest.mark.parametrize("command", ["status", "show", "download", "stop", "resume", "collect"])
@pytest.mark.parametrize("name", [HOSTILE, f"a{FORGED}", "k" * 200, "../../etc", "\x1b[2J"])
def test_hostile_names_of_runs_are_refused_in_printable_words(bedrock_batch, command, name):
    assert bedrock_batch(command, name, exit_code=2).stderr


@pytest.mark.parametrize(
    "arguments", [[f"--{HOSTILE}"], [HOSTILE], ["show", "a", "--rows", HOSTILE], ["schema", FORGED]]
)
def test_arguments_that_cannot_be_parsed_are_quoted_printably(bedrock_batch, arguments):
    assert "error: " in bedrock_batch(*arguments, exit_code=2).stderr


def test_help_shows_hostile_variables_printably(stack):
    environment = {**stack.environment, "BUCKET_NAME": HOSTILE, "AWS_REGION": HOSTILE}
    for arguments in (["--help"], ["validate", "--help"], ["status", "x"]):
        command = [str(command_line_program()), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert not hidden_in(done.stdout + done.stderr), arguments


def test_start_and_validate_print_hostile_inputs(stack, bedrock_batch, tmp_path):
    file = tmp_path / f"in{HOSTILE[:20]}.json"
    file.write_text(json.dumps(stack.joke(f"no{HOSTILE}.csv") | {FORGED: 1, LONG_KEY: 1}))
    assert "problems" in bedrock_batch("validate", file, exit_code=1).stderr
    assert bedrock_batch("start", file, exit_code=2).stderr
    for text in (
        f'{{"a": "{HOSTILE}"',
        "[" * 10_000,
        json.dumps({"stages": [{FORGED: FORGED}], "pipeline_name": FORGED}),
    ):
        file.write_text(text)
        bedrock_batch("validate", file, exit_code=1)


def test_causes_are_printable_and_within_the_limits_of_step_functions(runs):
    for name in ("refused", "elsewhere"):
        error, cause = runs[name].failure()
        assert len(error) <= 256
        assert len(json.dumps({"errorMessage": cause})) <= MAX_CAUSE_CHARS, "quoted, a cause is not cut in the middle"
        assert not hidden_in(cause), name
    assert "179700 more characters" in runs["refused"].failure()[1], "what is cut is counted"


@pytest.mark.parametrize("name", ["well", "refused", "stopped", "elsewhere"])
def test_emails_have_no_section_of_others(stack, runs, name):
    run = runs[name]
    emails = wait_for("the email", lambda: [e for e in stack.mailbox.all_about(run.run_id) if run.arn in e.text])
    for email in emails:
        assert not hidden_in(email.text)
        assert email.subject.isascii() and email.subject.isprintable()
        titles = [line for line in email.text.splitlines() if line.strip() == "WHAT TO DO"]
        assert len(titles) == (0 if name == "well" else 1), email.text
        assert not [line for line in email.text.splitlines() if line.strip().startswith("Run this")], email.text


def test_an_upload_with_a_hostile_name_is_refused_in_printable_words(stack):
    stem = "no-such\u202e\x9b\u2028config"
    stack.put(f"{PREFIXES['TRIGGER']}/{stem}/a\u202eb.csv", "a\n1\n")
    (email, *_) = wait_for("the email", lambda: stack.mailbox.all_about("no-such"))
    assert not hidden_in(email.text)


def test_logs_have_no_hidden_characters(stack, runs):
    lines = [
        line for function in ("preprocess", "notify", "finalize") for line in stack.logged(function_name(function))
    ]
    assert lines
    assert not [line for line in lines if line.startswith("{") and hidden_in(line)]


def test_download_writes_the_files_of_the_plan_only(stack, runs, bedrock_batch, tmp_path):
    run = runs["well"]
    victim = tmp_path / "victim"
    victim.write_text("precious")
    answers = tmp_path / "answers"
    answers.mkdir()
    for name in ("0000.parquet", "answers.jsonl"):
        (answers / name).symlink_to(victim)
    done = bedrock_batch("download", run.name, answers)
    assert sorted(path.name for path in answers.iterdir()) == ["0000.parquet", "answers.jsonl"]
    assert victim.read_text() == "precious"
    assert not any(path.is_symlink() for path in answers.iterdir())
    assert "left out 5 objects" in done.stderr
    assert pq.read_table(answers / "0000.parquet").num_rows == 3
    assert not list(tmp_path.rglob("*evil*"))


def test_a_download_that_fails_replaces_nothing(stack, runs, bedrock_batch, tmp_path):
    run = runs["well"]
    bedrock_batch("download", run.name, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    (path,) = run.output["output_paths"]
    key = path.removeprefix(f"s3://{stack.bucket}/")
    whole = stack.read(path)
    stack.put(key, whole[: len(whole) // 2])
    try:
        assert bedrock_batch("download", run.name, tmp_path, exit_code=2).stderr
    finally:
        stack.put(key, whole)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_link_in_the_place_of_the_folder_of_a_run_is_not_followed(stack, runs, tmp_path):
    run = runs["well"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / run.name).symlink_to(elsewhere)
    command = [command_line_program(), "download", run.name]
    done = subprocess.run(
        command, env=stack.environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2 and "is a link, which is not followed" in done.stderr
    assert not list(elsewhere.iterdir())


def test_show_leaves_nothing_in_the_temporary_folder(stack, runs, tmp_path):
    environment = {**stack.environment, "TMPDIR": str(tmp_path)}
    command = [command_line_program(), "show", runs["well"].name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_with_links_is_not_uploaded(stack, bedrock_batch, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("topic\nsecret\n")
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "0.csv").write_text("topic\ncats\n")
    (folder / "1.csv").symlink_to(secret)
    (tmp_path / "run.json").write_text(json.dumps(stack.joke("parts")))
    before = stack.keys("inputs/")
    error = bedrock_batch("start", tmp_path / "run.json", exit_code=2).stderr
    assert "links or special files, which are not uploaded" in error and "1.csv`" in error
    assert stack.keys("inputs/") == before
