"""`resume_run` and `collect_run` accept the name of a run that has ended, alone or with the input that it was started
with; everything else is refused with a helpful message, and changes nothing."""

import pytest

from stack.checks import assert_answered_on_demand, assert_whole
from stack.inputs import csv_text, topic_table
from stack.run import Run
from stack.waiting import wait_for

COUNT = 110
FIRST = 1_200_000
# Half a minute at two a second.
SLOW_COUNT = 60


def play(stack):
    uri = stack.put_input(csv_text(topic_table(COUNT)))
    execution_input = stack.joke(uri)
    run = stack.play(execution_input, "to-go-on-with")
    before = (run.again().output, run.again().rows, run.items)
    failed = stack.play(stack.joke(uri, max_num_jobs=0), "never-was")
    slow_uri = stack.put_input(csv_text(topic_table(SLOW_COUNT, FIRST)))
    slow = stack.start(stack.joke(slow_uri, requests_per_second=2), "still-runs")
    wait_for("its plan", lambda: stack.keys(f"runs/{slow.name}/plan.json"))
    name = run.name
    inputs = {
        "unknown": {"resume_run": "no-such-run"},
        "unknown-to-collect": {"collect_run": "no-such-run"},
        "never-began": {"resume_run": failed.name},
        "still-runs": {"resume_run": slow.name},
        "still-runs-to-collect": {"collect_run": slow.name},
        "both": {"resume_run": name, "collect_run": name},
        "no-name": {"resume_run": 7},
        "empty-name": {"resume_run": " "},
        "other-input": {"resume_run": name, **execution_input, "max_retry_rounds": 3},
        "other-rows": {"resume_run": name, **execution_input, "s3_uri": slow_uri},
        "other-prompts": {
            "resume_run": name,
            **execution_input,
            "prompts": {"mine": {"description": "A joke.", "template": "Joke about {topic}."}},
        },
        "part-of-an-input": {"resume_run": name, "model_id": execution_input["model_id"]},
        "unknown-field": {"resume_run": name, "rseume": 1},
    }
    # These two first, while it certainly runs.
    too_early = ("still-runs", "still-runs-to-collect")
    refused = stack.play_all({kind: inputs[kind] for kind in too_early})
    slow_was_running = slow.status == "RUNNING"
    refused |= stack.play_all({kind: inputs[kind] for kind in inputs if kind not in too_early})
    taken = {
        "same-input": {"resume_run": name, **execution_input},
        "alone": {"resume_run": name},
        "with-nulls": {"resume_run": name, "collect_run": None, "dataset_id": None},
        "collected": {"collect_run": name},
    }
    # One after the other: a run is owned by one execution at a time.
    gone_on = {kind: Run(stack, stack.play(taken[kind], kind).name, name) for kind in taken}
    return run, before, refused, gone_on, slow.wait(), slow_was_running


SAYS = {
    "unknown": ("resume_run is `no-such-run`", "this run does not exist", "check the name"),
    "unknown-to-collect": ("collect_run is `no-such-run`", "this run does not exist"),
    "never-began": ("resume_run", "ended before anything was submitted", "start it again"),
    "still-runs": ("resume_run", "still runs", "bedrock-batch stop"),
    "still-runs-to-collect": ("collect_run", "still runs", "bedrock-batch stop"),
    "both": ("resume_run, collect_run", "only one of the two"),
    "no-name": ("resume_run is `7`", "must be the name of a run"),
    "empty-name": ("resume_run", "must be the name of a run"),
    "other-input": ("resume_run", "another input", "max_retry_rounds", "give `resume_run` alone"),
    "other-rows": ("resume_run", "another input", "s3_uri", "start a new run"),
    "other-prompts": ("resume_run", "another input", "prompts", "give `resume_run` alone"),
    "part-of-an-input": ("resume_run", "other fields beside it", "give `resume_run` alone"),
    "unknown-field": ("resume_run", "other fields beside it"),
}


@pytest.mark.parametrize("kind", SAYS)
def test_it_is_refused_and_says_why(played, kind):
    _, _, refused, _, _, slow_was_running = played
    assert slow_was_running
    error, cause = refused[kind].failure()
    assert error == "InvalidInput", cause
    assert [words for words in SAYS[kind] if words not in cause] == [], cause


@pytest.mark.parametrize("kind", ["same-input", "alone", "with-nulls", "collected"])
def test_the_input_of_the_run_is_accepted_and_a_complete_run_stays_as_it_is(played, kind):
    run, (output, rows, _), _, gone_on, _, _ = played
    assert gone_on[kind].output == output
    assert gone_on[kind].rows.equals(rows)
    assert_whole(gone_on[kind], topic_table(COUNT), [COUNT])
    assert [job["createCalls"] for job in run.jobs] == [1]


def test_a_refused_resume_leaves_the_running_execution_alone(played):
    *_, slow, _ = played
    assert_answered_on_demand(slow, topic_table(SLOW_COUNT, FIRST), [SLOW_COUNT])
