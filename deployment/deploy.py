"""Says which stack a deployment would create or update, in which account and region, and asks before it does."""

from botocore.exceptions import ClientError

from target import Target, UserError
from terminal import agree, run


def plan(target: Target) -> list[str]:
    """Returns what a deployment would do. Fails if it could not succeed."""
    stack = target.described()
    status = stack["StackStatus"] if stack else None
    if status is not None and status.endswith("_IN_PROGRESS"):
        raise UserError(f"{target.stack} is being changed ({status}): wait until that has ended")
    if status in (None, "REVIEW_IN_PROGRESS"):
        ensure_bucket_is_free(target)
        return [*target.lines(), "would be created."]
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        return [
            *target.lines(),
            f"failed when it was created or deleted ({status}); would be deleted and created again.",
        ]
    assert stack is not None
    changed = stack.get("LastUpdatedTime", stack["CreationTime"])
    return [
        *target.lines(),
        f"exists since {stack['CreationTime']:%Y-%m-%d}, was changed last on {changed:%Y-%m-%d %H:%M} UTC; would be updated.",
        "Executions that run continue with the functions that they began with.",
    ]


def ensure_bucket_is_free(target: Target) -> None:
    """Fails if the bucket of a deployment that does not exist yet exists: CloudFormation would only find out after minutes."""
    try:
        headers = target.session.client("s3").head_bucket(Bucket=target.bucket)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        code = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code == 404:
            return
        where = "and is not accessible, so it may belong to another account"
    else:
        where = f"in {headers.get('x-amz-bucket-region', 'another region')}"
    raise UserError(
        f"the bucket {target.bucket} exists already, {where}, and {target.stack} does not exist in {target.region}. "
        "For a second deployment beside another, choose a stage (STAGE=…). If it was left by a deployment that was "
        "destroyed, delete it or import it: docs/deploying.md"
    )


def announce(target: Target, agreed: bool) -> None:
    agree(plan(target), "Deploy?", agreed)


if __name__ == "__main__":
    run(__doc__ or "", announce)
