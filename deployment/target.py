"""The deployment that `make deploy` and `make destroy` are about: a stack, in the account and region of the credentials."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

CDK_JSON = Path(__file__).resolve().parents[1] / "infra" / "cdk.json"
STACK = "BedrockBatchOrchestratorStack"
STAGE = re.compile(r"(?=.{1,12}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
# A key of the context among the options of the CDK.
STAGE_OPTION = re.compile(r"(^|=)stage=")


class UserError(Exception):
    """Error that the user can fix; reported without a stack trace."""


@dataclass(frozen=True)
class Target:
    """A deployment, and a session of the account and the region that it is in."""

    stack: str
    bucket: str
    account: str
    identity: str
    region: str
    session: boto3.Session

    def described(self) -> dict | None:
        """Returns the deployed stack, or None if there is none."""
        try:
            return self.session.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def lines(self) -> list[str]:
        return [
            f"stack    {self.stack}",
            f"account  {self.account} ({self.identity})",
            f"region   {self.region}",
        ]


def target(stage: str, options: list[str]) -> Target:
    """Returns the deployment that the CDK would choose with the same options and environment."""
    if any(STAGE_OPTION.search(option) for option in options):
        raise UserError("CDK_OPTIONS has `stage`: name it with STAGE=… instead, which the checks before it see too")
    stage = stage or json.loads(CDK_JSON.read_text())["context"].get("stage") or ""
    if stage and not STAGE.fullmatch(stage):
        raise UserError(
            f"STAGE is `{stage}`: must have 1 to 12 lowercase letters, digits and single hyphens, and begin with a letter"
        )
    # The CDK prefers AWS_REGION, which boto3 does not read.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        session = boto3.Session(profile_name=profile(options), region_name=region)
        if session.region_name is None:
            raise UserError("no AWS region is set: `export AWS_REGION=…`, or set one in the profile")
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"the AWS account cannot be determined (try `aws sts get-caller-identity`): {error}") from error
    account, region = identity["Account"], session.region_name
    bucket = f"bedrock-batch-{stage}-{account}-{region}-an" if stage else f"batch-inference-bucket-{account}"
    stack = f"{STACK}-{stage}" if stage else STACK
    return Target(stack, bucket, account, identity["Arn"], region, session)


def profile(options: list[str]) -> str | None:
    """Returns the profile that the options of the CDK name."""
    for place, option in enumerate(options):
        if option == "--profile":
            return "".join(options[place + 1 : place + 2])
        if option.startswith("--profile="):
            return option.removeprefix("--profile=")
    return None
