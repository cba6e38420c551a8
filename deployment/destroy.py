"""Deletes a deployment but for its data, and says what stays."""

from botocore.exceptions import WaiterError

from target import Target, UserError
from terminal import agree, run

MACHINES = ("stepFunctionArn", "pipelineStateMachineArn")


def plan(target: Target) -> list[str]:
    """Returns what would be deleted and what stays. Fails if that would leave paid work without an owner."""
    stack = target.described()
    if stack is None:
        raise UserError(f"{target.stack} does not exist in {target.region} of account {target.account}")
    if stack["StackStatus"].endswith("_IN_PROGRESS"):
        raise UserError(f"{target.stack} is being changed ({stack['StackStatus']}): wait until that has ended")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    ensure_nothing_runs(target, outputs)
    lines = [
        *target.lines(),
        "would be deleted: functions with all their versions, state machines, queues, topic and subscriptions, logs, and the "
        "key of the download links (links in emails end).",
    ]
    # A first deployment that failed leaves nothing.
    bucket, table = outputs.get("bucketName"), outputs.get("taskTableName")
    if bucket and table:
        lines += [
            "These stay, and cost storage until you delete them:",
            f"  bucket  {bucket}: aws s3 rb s3://{bucket} --force",
            f"  table   {table}: aws dynamodb delete-table --table-name {table}",
        ]
    return lines


def ensure_nothing_runs(target: Target, outputs: dict[str, str]) -> None:
    machines = [outputs[name] for name in MACHINES if name in outputs]
    client = target.session.client("stepfunctions")
    running = [
        execution["name"]
        for arn in machines
        for execution in client.list_executions(stateMachineArn=arn, statusFilter="RUNNING", maxResults=10)[
            "executions"
        ]
    ]
    if running:
        raise UserError(
            f"executions are running ({', '.join(running[:10])}): their Bedrock jobs would go on, and be paid for, with "
            "nothing to stop them. Stop them first (`bedrock-batch stop NAME`), or wait until they end"
        )


def destroy(target: Target, agreed: bool) -> None:
    agree(plan(target), "Delete?", agreed)
    client = target.session.client("cloudformation")
    client.delete_stack(StackName=target.stack)
    try:
        client.get_waiter("stack_delete_complete").wait(StackName=target.stack)
    except WaiterError as error:
        raise UserError(f"{target.stack} was not deleted (see its events in CloudFormation): {error}") from error
    print("Deleted.")


if __name__ == "__main__":
    run(__doc__ or "", destroy)
