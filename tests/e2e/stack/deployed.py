"""The deployed stack: clients, inputs, runs."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property

import boto3
from botocore.config import Config

from stack.contract import ENVIRONMENT, IN_ALL_VERSIONS
from stack.mailbox import Mailbox
from stack.pipeline import Pipeline
from stack.run import Run
from stack.simulator import Simulator, is_over
from stack.waiting import MAX_WAIT_SECONDS, wait_for

CLAUDE = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
JOKE = "joke_about_topic"


def unique(name: str) -> str:
    """Returns the name with a unique suffix."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


class Stack:
    def __init__(self, environment: dict[str, str]):
        self.environment = environment
        self.bucket = environment["BUCKET_NAME"]
        self.state_machine = environment["STATE_MACHINE_ARN"]
        self.table_name = environment["TASK_TABLE_NAME"]
        self.simulator = Simulator(environment["BEDROCK_SIMULATOR_URL"])
        self.s3 = self.client("s3", s3={"addressing_style": "path"})
        self.step_functions = self.client("stepfunctions")
        self.functions = self.client("lambda", read_timeout=MAX_WAIT_SECONDS)
        self.events = self.client("events")
        self.logs = self.client("logs")
        self.bedrock = self.client("bedrock")
        self.table = (
            self._session()
            .resource("dynamodb", endpoint_url=environment["AWS_ENDPOINT_URL"], config=Config(max_pool_connections=20))
            .Table(self.table_name)
        )

    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
        )

    def client(self, service: str, **settings):
        endpoint = self.environment["AWS_ENDPOINT_URL_BEDROCK" if service == "bedrock" else "AWS_ENDPOINT_URL"]
        config = Config(max_pool_connections=20, proxies={}, **settings)
        return self._session().client(service, endpoint_url=endpoint, config=config)

    @cached_property
    def mailbox(self) -> Mailbox:
        """Emails since the first access."""
        return Mailbox(self)

    # --- inputs ---

    def put(self, key: str, body: bytes | str) -> str:
        """Puts an object and returns its address."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def put_input(self, body: bytes | str, name: str = "rows.csv") -> str:
        """Puts an object into a folder of its own."""
        return self.put(f"inputs/{uuid.uuid4().hex}/{name}", body)

    def read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    # --- runs ---

    def joke(self, s3_uri: str | None, **fields) -> dict:
        """An execution input; `fields` override its fields, and those that are None are left out."""
        usual = {"s3_uri": s3_uri, "job_name_prefix": "e2e", "model_id": CLAUDE, "prompt_id": JOKE}
        return {name: value for name, value in {**usual, **fields}.items() if value is not None}

    def start(self, execution_input, name: str = "run", **behaviour) -> Run:
        """Starts a run without waiting for it. Its name gets an ending that makes it the only one. `behaviour`: that of the
        simulator towards its jobs."""
        return self.start_named(execution_input, unique(name), **behaviour)

    def start_named(self, execution_input, name: str, **behaviour) -> Run:
        if behaviour:
            Run(self, name).behave(**behaviour)
        self.step_functions.start_execution(
            stateMachineArn=self.state_machine, name=name, input=json.dumps(execution_input)
        )
        return Run(self, name)

    def play(self, execution_input, name: str = "run", **behaviour) -> Run:
        """Starts a run and waits for its end, successful or not."""
        return self.start(execution_input, name, **behaviour).wait()

    def resume(self, run: Run, **fields) -> Run:
        """Starts an execution that resumes the run, without waiting for it."""
        return self._continue("resume", run, **fields)

    def collect(self, run: Run) -> Run:
        """Starts an execution that collects the answers of the run, without waiting for it."""
        return self._continue("collect", run)

    def _continue(self, verb: str, run: Run, **fields) -> Run:
        execution = self.start({f"{verb}_run": run.run_id, **fields}, f"{verb}-{run.run_id}"[:60])
        return Run(self, execution.name, run.run_id)

    def play_misbehaving_at_first(self, inputs: dict[str, object], jobs: dict[str, int], **behaviour) -> dict[str, Run]:
        """Plays several runs side by side. `jobs`: the number of first batch jobs that misbehave, by run."""
        runs = {
            name: self.start(
                execution_input,
                name,
                only_inputs=[f"/{index:04}.jsonl" for index in range(jobs[name])],
                **behaviour,
            )
            for name, execution_input in inputs.items()
        }
        return {name: run.wait() for name, run in runs.items()}

    def play_all(self, inputs: dict[str, object], at_once: int = 4, **behaviour) -> dict[str, Run]:
        """Plays several runs side by side."""
        with ThreadPoolExecutor(at_once) as pool:
            played = pool.map(lambda name: self.play(inputs[name], name, **behaviour), inputs)
            return dict(zip(inputs, played, strict=True))

    # --- pipelines ---

    def start_pipeline(self, execution_input, name: str = "pipeline") -> Pipeline:
        """Starts a pipeline without waiting for it. Its name gets an ending that makes it the only one."""
        pipeline = Pipeline(self, unique(name))
        self.step_functions.start_execution(
            stateMachineArn=self.environment["PIPELINE_STATE_MACHINE_ARN"],
            name=pipeline.name,
            input=json.dumps(execution_input),
        )
        return pipeline

    def play_pipeline(self, execution_input, name: str = "pipeline") -> Pipeline:
        """Starts a pipeline and waits for its end, successful or not."""
        return self.start_pipeline(execution_input, name).wait()

    def play_pipelines(self, inputs: dict[str, object], at_once: int = 4) -> dict[str, Pipeline]:
        """Plays several pipelines side by side."""
        with ThreadPoolExecutor(at_once) as pool:
            played = pool.map(lambda name: self.play_pipeline(inputs[name], name), inputs)
            return dict(zip(inputs, played, strict=True))

    # --- functions and logs ---

    def invoke(self, function: str, payload: dict) -> dict:
        """Invokes a function and returns its answer; a failed function fails the test."""
        answer = self.functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        body = json.loads(answer["Payload"].read() or b"null")
        assert "FunctionError" not in answer, body
        return body

    @contextmanager
    def variables(self, function: str, **changes: str | None):
        """Changes environment variables of a function for a while; None removes a variable."""
        described = self.functions.get_function_configuration(FunctionName=function)
        before = described["Environment"]["Variables"]
        known = before.keys() | set(ENVIRONMENT.values())
        assert changes.keys() <= known, f"{function} has {sorted(before)}"
        after = {name: value for name, value in {**before, **changes}.items() if value is not None}
        self.set_variables(function, after)
        try:
            yield
        finally:
            self.set_variables(function, before)

    def set_variables(self, function: str, variables: dict[str, str]) -> None:
        """Sets the environment variables of a function and of its versions, which state machines call."""
        self.functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}, Description=IN_ALL_VERSIONS
        )

    def secret_for(self, function: str, text: str) -> str:
        """Creates a secret that a function may read, as the context key of its name grants it. Returns its name."""
        name = f"e2e-{uuid.uuid4().hex[:8]}"
        secret = self.client("secretsmanager").create_secret(Name=name, SecretString=text)
        self.allow(function, "secretsmanager:GetSecretValue", secret["ARN"])
        return name

    def allow(self, function: str, action: str, resource: str) -> None:
        """Gives the role of a function a right that it has in a stack with other settings."""
        role = self.functions.get_function_configuration(FunctionName=function)["Role"]
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        self.client("iam").put_role_policy(
            RoleName=role.rpartition("/")[2],
            PolicyName=f"e2e-{uuid.uuid4().hex[:8]}",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
        )

    def logged(self, function: str, *words: str) -> list[str]:
        """The lines of a function's log that hold all of the words."""
        # At most 10,000 events are returned, so most of them are sorted out before. The pattern knows no quotes in a word.
        pattern = " ".join('"{}"'.format(word.strip('"')) for word in words)
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}", filterPattern=pattern
        )
        lines = (event["message"] for page in pages for event in page["events"])
        return [line for line in lines if all(word in line for word in words)]

    def wait_until_no_job_is_open(self) -> None:
        wait_for("all jobs to be over", lambda: all(map(is_over, self.simulator.jobs())))
