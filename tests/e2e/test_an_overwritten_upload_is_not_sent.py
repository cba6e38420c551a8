"""An upload that is overwritten before its run reads it: the older one is reported, the newer one goes its own way."""

import json
import uuid
from functools import partial

from stack.deployed import CLAUDE
from stack.inputs import csv_text, topic_table
from stack.run import Run
from stack.uploads import FUNCTION, Uploads, executions_of
from stack.waiting import wait_for


def play(stack):
    mark = uuid.uuid4().hex[:8]
    key = f"trigger/{mark}.json"
    rows = stack.put_input(csv_text(topic_table(110)))
    run = {"job_name_prefix": "overwritten", "model_id": CLAUDE, "s3_uri": rows}
    older = run | {"prompt": {"description": "d", "template": "older: {topic}"}}
    newer = run | {"prompt": {"description": "d", "template": "newer: {topic}"}}
    with Uploads(stack) as heard:
        stack.put(key, json.dumps(newer))
        event = heard.event_of(key)
    (arn,) = wait_for("the execution of the newer one", partial(executions_of, stack, mark), pause=0.5)
    # As if it arrived late: the event of an older upload of this key.
    detail = event["detail"]
    of_older = detail["object"] | {"etag": "0" * 32, "sequencer": "00", "size": len(json.dumps(older))}
    answer = stack.invoke(FUNCTION, event | {"detail": detail | {"object": of_older}})
    # A run whose rows were overwritten after it was started for them.
    late = stack.play(newer | {"s3_etag": "0" * 32}, "late")
    return key, Run(stack, arn.rsplit(":", 1)[1]).wait(), answer, late, rows


def test_the_older_upload_starts_nothing_and_is_reported(stack, played):
    key, newer, answer, _, _ = played
    assert answer == {"refused": 1}
    told = json.loads(stack.read(f"s3://{stack.bucket}/{key}.error.json"))
    assert "was overwritten before it was read" in told["problems"][0]
    assert "under another name" in told["problems"][0]
    mark = key.removeprefix("trigger/").removesuffix(".json")
    assert executions_of(stack, mark) == [newer.arn]
    assert any("was overwritten" in email.text for email in stack.mailbox.all_about(mark))


def test_the_newer_upload_goes_its_own_way(played):
    _, newer, _, _, _ = played
    assert newer.summary["answered"] == 110


def test_a_run_whose_rows_were_overwritten_sends_nothing(stack, played):
    _, _, _, late, rows = played
    error, cause = late.failure()
    assert error == "InvalidInput" and f"s3_uri is `{rows}`: was overwritten before it was read" in cause
    assert stack.keys(f"batch_inputs_json/overwritten/{late.run_id}/") == []
