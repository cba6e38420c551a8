"""Jobs for tests: their input, their request, and what they leave behind."""

import itertools
import json

from conftest import BUCKET, wait_for

MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
ROLE = "arn:aws:iam::000000000000:role/batch"
FINAL = {"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"}
_numbers = itertools.count(1)


def claude_body(text, **fields):
    messages = [{"role": "user", "content": [{"type": "text", "text": text}]}]
    return {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 256, "messages": messages, **fields}


def record(index, **fields):
    return {"recordId": f"r{index:06}", "modelInput": claude_body(f"Say something about item {index}."), **fields}


def put_lines(s3, key, records):
    lines = (line if isinstance(line, str) else json.dumps(line) for line in records)
    s3.put_object(Bucket=BUCKET, Key=key, Body="\n".join(lines).encode())
    return f"s3://{BUCKET}/{key}"


def put_input(s3, count=120):
    return put_lines(s3, f"input/{next(_numbers)}/0000.jsonl", (record(index) for index in range(count)))


def request(input_uri=f"s3://{BUCKET}/nowhere/0000.jsonl", **fields):
    number = next(_numbers)
    return {
        "jobName": f"job-{number}",
        "roleArn": ROLE,
        "modelId": MODEL,
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": input_uri}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{BUCKET}/output/{number}/"}},
        **fields,
    }


def create(bedrock, input_uri, **fields):
    return bedrock.create_model_invocation_job(**request(input_uri, **fields))["jobArn"]


def get(bedrock, arn):
    job = bedrock.get_model_invocation_job(jobIdentifier=arn)
    job.pop("ResponseMetadata")
    return job


def finish(bedrock, arn):
    """The job once it is over."""

    def over():
        job = get(bedrock, arn)
        return job if job["status"] in FINAL else None

    return wait_for(over, what=f"the end of {arn}")


def reach(bedrock, arn, *statuses):
    """The job once it is in one of the statuses."""

    def there():
        job = get(bedrock, arn)
        return job if job["status"] in statuses else None

    return wait_for(there, what=f"{arn} to be {statuses}")


def output_keys(s3, job):
    prefix = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"].removeprefix(f"s3://{BUCKET}/")
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def read(s3, key):
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def output(s3, job, name="0000.jsonl"):
    """The decoded lines of an output file, and the manifest."""
    prefix = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"].removeprefix(f"s3://{BUCKET}/")
    folder = f"{prefix.rstrip('/')}/{job['jobArn'][-12:]}"
    lines = [json.loads(line) for line in read(s3, f"{folder}/{name}.out").splitlines()]
    return lines, json.loads(read(s3, f"{folder}/manifest.json.out"))
