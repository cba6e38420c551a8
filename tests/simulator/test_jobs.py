"""The life of a job, its input's validation, and what it writes."""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

import jobs
from conftest import BUCKET, wait_for


def test_a_job_answers_every_record_in_another_order(simulator, bedrock, s3):
    uri = jobs.put_input(s3, 150)
    job = jobs.finish(bedrock, jobs.create(bedrock, uri))
    assert job["status"] == "Completed"
    assert job["jobArn"].startswith("arn:aws:bedrock:us-east-1:000000000000:model-invocation-job/")
    counts = ["totalRecordCount", "processedRecordCount", "successRecordCount", "errorRecordCount"]
    assert [job[name] for name in counts] == [150, 150, 150, 0]
    assert job["jobExpirationTime"] - job["submitTime"] == timedelta(hours=24)
    assert job["endTime"] >= job["submitTime"]

    lines, manifest = jobs.output(s3, job)
    written = [line["recordId"] for line in lines]
    assert written != sorted(written)
    assert sorted(written) == [f"r{index:06}" for index in range(150)]
    for line in lines:
        assert set(line) == {"recordId", "modelInput", "modelOutput"}
        assert line["modelInput"] == jobs.record(int(line["recordId"][1:]))["modelInput"]
    used = [line["modelOutput"]["usage"] for line in lines]
    assert manifest == {
        **{name: job[name] for name in counts},
        "inputTokenCount": sum(usage["input_tokens"] for usage in used),
        "outputTokenCount": sum(usage["output_tokens"] for usage in used),
    }
    assert len(jobs.output_keys(s3, job)) == 2


def test_the_model_input_is_repeated_byte_for_byte(simulator, bedrock, s3):
    body = '{"anthropic_version": "bedrock-2023-05-31",  "max_tokens":5.0e0, "messages":[{"role":"user","content":"\\u00e9"}]}'
    uri = jobs.put_lines(s3, "verbatim/0000.jsonl", [f'{{"recordId":"{i}","modelInput":{body}}}' for i in range(100)])
    job = jobs.finish(bedrock, jobs.create(bedrock, uri))
    raw = jobs.read(s3, next(key for key in jobs.output_keys(s3, job) if key.endswith("0000.jsonl.out"))).decode()
    assert raw.count(body) == 100


def test_a_folder_is_read_whole_with_one_output_per_input(simulator, bedrock, s3):
    for part in range(3):
        jobs.put_lines(s3, f"folder/part-{part}.jsonl", [jobs.record(part * 50 + index) for index in range(50)])
    s3.put_object(Bucket=BUCKET, Key="folder/readme.txt", Body=b"no records")
    jobs.put_lines(s3, "folder-sibling/other.jsonl", [jobs.record(0)])
    for uri in [f"s3://{BUCKET}/folder/", f"s3://{BUCKET}/folder"]:
        job = jobs.finish(bedrock, jobs.create(bedrock, uri))
        assert (job["status"], job["totalRecordCount"]) == ("Completed", 150)
        names = sorted(key.rsplit("/", 1)[1] for key in jobs.output_keys(s3, job))
        assert names == ["manifest.json.out", *(f"part-{part}.jsonl.out" for part in range(3))]
        lines, _ = jobs.output(s3, job, "part-1.jsonl")
        assert sorted(line["recordId"] for line in lines) == [f"r{index:06}" for index in range(50, 100)]


def test_a_record_without_an_id_gets_one(simulator, bedrock, s3):
    records = [{"modelInput": jobs.claude_body(f"item {index}")} for index in range(100)]
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_lines(s3, "no-ids/0000.jsonl", records)))
    lines, _ = jobs.output(s3, job)
    ids = {line["recordId"] for line in lines}
    assert len(ids) == 100
    assert all(len(given) == 11 and given.isalnum() for given in ids)


def test_a_record_that_does_not_suit_its_model_gets_an_error(simulator, bedrock, s3):
    records = [jobs.record(index) for index in range(99)]
    records.append({"recordId": "wrong", "modelInput": {"inputText": "Hello world"}})
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_lines(s3, "one-wrong/0000.jsonl", records)))
    # A job whose records were all processed is complete, whatever became of them.
    assert (job["status"], job["successRecordCount"], job["errorRecordCount"]) == ("Completed", 99, 1)
    lines, manifest = jobs.output(s3, job)
    wrong = next(line for line in lines if line["recordId"] == "wrong")
    assert set(wrong) == {"recordId", "modelInput", "error"}
    assert wrong["modelInput"] == {"inputText": "Hello world"}
    message = wrong["error"].pop("errorMessage")
    assert wrong["error"] == {"errorCode": 400, "expired": False, "retryable": False}
    assert "inputText" in message
    assert manifest["errorRecordCount"] == 1


@pytest.mark.parametrize(
    ("model", "body", "text"),
    [
        (
            "amazon.nova-lite-v1:0",
            {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]},
            lambda output: output["output"]["message"]["content"][0]["text"],
        ),
        ("amazon.titan-embed-text-v2:0", {"inputText": "Hello", "dimensions": 256}, lambda output: output["embedding"]),
        (
            "us.meta.llama3-1-8b-instruct-v1:0",
            {"prompt": "Hello"},
            lambda output: output["generation"],
        ),
        (
            "openai.gpt-oss-20b-1:0",
            {"messages": [{"role": "user", "content": "Hello"}]},
            lambda output: output["choices"][0]["message"]["content"],
        ),
    ],
)
def test_other_families_answer_in_their_own_way(simulator, bedrock, s3, model, body, text):
    uri = jobs.put_lines(s3, f"{model.split(':')[0]}/0000.jsonl", [{"modelInput": body}] * 100)
    job = jobs.finish(bedrock, jobs.create(bedrock, uri, modelId=model))
    lines, _ = jobs.output(s3, job)
    assert job["errorRecordCount"] == 0
    assert all(text(line["modelOutput"]) for line in lines)


def test_records_may_be_written_for_converse(simulator, bedrock, s3):
    body = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": {"maxTokens": 50}}
    uri = jobs.put_lines(s3, "converse/0000.jsonl", [{"modelInput": body}] * 100)
    job = jobs.finish(bedrock, jobs.create(bedrock, uri, modelInvocationType="Converse"))
    assert (job["modelInvocationType"], job["errorRecordCount"]) == ("Converse", 0)
    lines, manifest = jobs.output(s3, job)
    assert manifest["outputTokenCount"] == sum(line["modelOutput"]["usage"]["outputTokens"] for line in lines)
    native = jobs.finish(bedrock, jobs.create(bedrock, uri))
    assert native["errorRecordCount"] == 100


NO_RECORDS = "Batch job contains less records ({}) than the required minimum of: 100"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([jobs.record(0)], NO_RECORDS.format(1)),
        ([jobs.record(index) for index in range(99)], NO_RECORDS.format(99)),
        ([*(jobs.record(index) for index in range(100)), "not json"], "line 101"),
        ([*(jobs.record(index) for index in range(100)), "[]"], "line 101"),
        ([*(jobs.record(index) for index in range(100)), '{"modelInput": "text"}'], "line 101"),
        ([*(jobs.record(index) for index in range(100)), '{"recordId": "x"}'], "line 101"),
    ],
)
def test_a_wrong_input_fails_the_job_and_says_why(simulator, bedrock, s3, lines, message):
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_lines(s3, "wrong/0000.jsonl", lines)))
    assert job["status"] == "Failed"
    assert message in job["message"]
    assert "endTime" in job
    assert jobs.output_keys(s3, job) == []


def test_more_than_100_000_records_fail_the_job(simulator, bedrock, s3):
    line = json.dumps({"modelInput": {"inputText": "a"}})
    simulator.behave(in_progress_seconds=600)
    for count, status in [(100_000, "Stopped"), (100_001, "Failed")]:
        uri = jobs.put_lines(s3, f"many-{count}/0000.jsonl", [line] * count)
        arn = jobs.create(bedrock, uri, modelId="amazon.titan-embed-text-v2:0")
        if status == "Stopped":
            jobs.reach(bedrock, arn, "Scheduled", "InProgress")
            bedrock.stop_model_invocation_job(jobIdentifier=arn)
        job = jobs.finish(bedrock, arn)
        assert job["status"] == status
    assert "contains more records (100001) than the allowed maximum of: 100000" in job["message"]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (f"s3://{BUCKET}/nothing/here/", "No .jsonl files"),
        (f"s3://{BUCKET}/nothing/here.jsonl", "No .jsonl files"),
        ("s3://no-such-bucket-anywhere/a/", "no-such-bucket-anywhere"),
    ],
)
def test_an_input_that_is_not_there_fails_the_job(simulator, bedrock, s3, uri, message):
    job = jobs.finish(bedrock, jobs.create(bedrock, uri))
    assert job["status"] == "Failed"
    assert message in job["message"]


def test_an_output_that_cannot_be_written_fails_the_job(simulator, bedrock, s3):
    output = {"s3OutputDataConfig": {"s3Uri": "s3://no-such-bucket-anywhere/out/"}}
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_input(s3), outputDataConfig=output))
    assert job["status"] == "Failed"
    assert "no-such-bucket-anywhere" in job["message"]


def test_a_token_used_again_gives_the_same_job(simulator, bedrock, s3):
    request = jobs.request(jobs.put_input(s3), clientRequestToken="same")
    arns = {bedrock.create_model_invocation_job(**request)["jobArn"] for _ in range(3)}
    # AWS ignores the other fields of a request whose token it knows.
    other = {**request, "jobName": "another-name"}
    arns.add(bedrock.create_model_invocation_job(**other)["jobArn"])
    assert len(arns) == 1
    (job,) = simulator.jobs()
    assert (job["createCalls"], job["clientRequestToken"], job["jobName"]) == (4, "same", request["jobName"])
    jobs.finish(bedrock, arns.pop())
    assert bedrock.create_model_invocation_job(**request)["jobArn"] == job["jobArn"]


def test_a_job_in_progress_stops_with_what_it_has(simulator, bedrock, s3):
    simulator.behave(in_progress_seconds=600)
    arn = jobs.create(bedrock, jobs.put_input(s3, 200))
    wait_for(lambda: jobs.get(bedrock, arn).get("processedRecordCount"), what="an answer")
    bedrock.stop_model_invocation_job(jobIdentifier=arn)
    job = jobs.finish(bedrock, arn)
    assert job["status"] == "Stopped"
    lines, manifest = jobs.output(s3, job)
    assert 0 < len(lines) < 200
    assert manifest["processedRecordCount"] == len(lines) == job["processedRecordCount"]
    assert manifest["totalRecordCount"] == job["totalRecordCount"] == 200


@pytest.mark.parametrize(("status", "seconds"), [("Submitted", 600), ("Validating", 12), ("Scheduled", 12)])
def test_a_job_not_yet_begun_stops_without_output(simulator, bedrock, s3, status, seconds):
    simulator.behave(job_seconds=seconds)
    arn = jobs.create(bedrock, jobs.put_input(s3))
    jobs.reach(bedrock, arn, status)
    for _ in range(2):
        try:
            bedrock.stop_model_invocation_job(jobIdentifier=arn[-12:])
        except ClientError as error:  # the second call may find the job stopped already
            assert error.response["Error"]["Code"] == "ConflictException"
    job = jobs.finish(bedrock, arn)
    assert job["status"] == "Stopped"
    assert jobs.output_keys(s3, job) == []


def test_a_large_output_is_written_in_parts(simulator, bedrock, s3):
    text = "lorem ipsum " * 12_000
    records = [{"recordId": str(index), "modelInput": jobs.claude_body(f"{index} {text}")} for index in range(120)]
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_lines(s3, "large/0000.jsonl", records)))
    assert job["status"] == "Completed", job.get("message")
    lines, _ = jobs.output(s3, job)
    assert {line["recordId"]: line["modelInput"] for line in lines} == {
        record["recordId"]: record["modelInput"] for record in records
    }
