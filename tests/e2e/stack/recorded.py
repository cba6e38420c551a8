"""The record of a session: the requests of functions and state machines to AWS, for `infra/checks/rights.ts`."""

import json
import urllib.request
from typing import Any

from stack.local import STATE

BOOTSTRAP_STACK = "CDKToolkit"
FILE = "record.json"
ADDITION = "e2e-"
"""Begins the names of policies that tests give to roles."""


def forget_record() -> None:
    """Removes the record of an earlier session."""
    (STATE / FILE).unlink(missing_ok=True)


def write_record(stack) -> dict[str, Any]:
    """Writes the record of the stack beside its state, and returns it."""
    with urllib.request.urlopen(f"{stack.environment['AWS_ENDPOINT_URL']}/_local/record", timeout=30) as answer:
        record = json.load(answer)
    cloudformation = stack.client("cloudformation")
    (deployed,) = (
        found["StackName"]
        for found in cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "UPDATE_COMPLETE"])[
            "StackSummaries"
        ]
        if found["StackName"] != BOOTSTRAP_STACK
    )
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=deployed)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    (template,) = (STATE / "cdk.out").glob("*.template.json")
    record |= {
        "template": str(template),
        "physicalIds": {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
        "region": stack.environment["AWS_REGION"],
        "account": stack.state_machine.split(":")[4],
        "additions": {
            resource["LogicalResourceId"]: additions(stack, resource["PhysicalResourceId"])
            for resource in resources
            if resource["ResourceType"] == "AWS::IAM::Role"
        },
    }
    (STATE / FILE).write_text(json.dumps(record, indent=1))
    return record


def additions(stack, role: str) -> list[dict]:
    """Returns the statements of the policies that tests gave to a role."""
    iam = stack.client("iam")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in names
        if name.startswith(ADDITION)
    ]
    statements = (document["Statement"] for document in documents)
    return [item for found in statements for item in (found if isinstance(found, list) else [found])]
