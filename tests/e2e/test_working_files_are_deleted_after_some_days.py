"""Working files of a completed run are deleted on their day. Answered rows, plan and summary stay, and the run is not
continued."""

import json

from stack.contract import PREFIXES, function_name
from stack.inputs import csv_text, topic_table

ROWS = topic_table(120, 700_000)
WORKING = [PREFIXES[name] for name in ("JOB_INPUTS", "INPUT_ROWS", "JOB_OUTPUTS")]


def working_files(stack, run) -> list[str]:
    return [key for prefix in WORKING for key in stack.keys(f"{prefix}/e2e/{run.run_id}/")]


def notes_of(stack, run) -> list[str]:
    return [key for key in stack.keys(f"{PREFIXES['EXPIRING']}/") if key.endswith(f"/{run.run_id}.json")]


def reconcile(stack) -> dict:
    answer = stack.functions.invoke(FunctionName=function_name("reconcile"), Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def play(stack):
    run = stack.play(stack.joke(stack.put_input(csv_text(ROWS))), "expiring")
    (note,) = notes_of(stack, run)
    before = working_files(stack, run)
    reconcile(stack)
    too_early = working_files(stack, run)
    # The day comes.
    body = stack.s3.get_object(Bucket=stack.bucket, Key=note)["Body"].read()
    stack.s3.put_object(Bucket=stack.bucket, Key=f"{PREFIXES['EXPIRING']}/2026-01-31/{run.run_id}.json", Body=body)
    stack.s3.delete_object(Bucket=stack.bucket, Key=note)
    done = reconcile(stack)
    return run, note, before, too_early, done


def test_files_stay_until_their_day(played):
    _, note, before, too_early, _ = played
    assert note > f"{PREFIXES['EXPIRING']}/2026-"
    assert len(before) >= 3
    assert too_early == before


def test_all_working_files_are_gone_then(stack, played):
    run, _, before, _, done = played
    assert working_files(stack, run) == []
    assert notes_of(stack, run) == []
    assert done["deleted"]["files"] >= len(before)


def test_the_answers_stay(stack, played):
    run = played[0]
    assert run.rows["error"].null_count == len(run.rows) == len(ROWS)
    assert {f"{PREFIXES['RUNS']}/{run.run_id}/{name}" for name in ("plan.json", "summary.json")} <= set(
        stack.keys(f"{PREFIXES['RUNS']}/{run.run_id}/")
    )


def test_the_run_is_not_continued(stack, played):
    run = played[0]
    refused = stack.play({"resume_run": run.run_id}, "resume")
    error, cause = refused.failure()
    assert error == "InvalidInput"
    assert "its working files were deleted on" in cause and "`previous_run`" in cause
