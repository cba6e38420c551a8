"""Environments of the processes of the local stack, and the file that users source."""

import os
import shlex
from pathlib import Path

from .contract import ENVIRONMENT
from .settings import Settings

REGION = "us-east-1"
EVENT_SOURCE = "local.bedrock"


def aws_environment(endpoint: str) -> dict[str, str]:
    """Returns the variables that point any AWS client at MiniStack. The credentials are dummies."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        # Required by cdklocal.
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def process_environment(settings: Settings, endpoint: str) -> dict[str, str]:
    """Returns a clean environment without real credentials: MiniStack passes its own environment on to every function."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(settings.state / "home"),
        "TMPDIR": str(settings.temporary),
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
        **aws_environment(endpoint),
    }


def write_environment_file(path: Path, endpoint: str, simulator: str, outputs: dict[str, str]) -> None:
    """Writes shell exports with which boto3, the AWS CLI and the Rust SDK use the local stack."""
    exports = {
        **aws_environment(endpoint),
        ENVIRONMENT["BEDROCK_ENDPOINT_URL"]: simulator,
        ENVIRONMENT["BEDROCK_RUNTIME_ENDPOINT_URL"]: simulator,
        ENVIRONMENT["SERVICE_QUOTAS_ENDPOINT_URL"]: simulator,
        "BEDROCK_SIMULATOR_URL": simulator,
        "BUCKET_NAME": outputs["bucketName"],
        "STATE_MACHINE_ARN": outputs["stepFunctionArn"],
        "PIPELINE_STATE_MACHINE_ARN": outputs["pipelineStateMachineArn"],
        "NOTIFICATION_TOPIC_ARN": outputs["notificationTopicArn"],
        "TASK_TABLE_NAME": outputs["taskTableName"],
    }
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items())
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
