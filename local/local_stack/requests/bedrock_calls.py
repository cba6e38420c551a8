"""What IAM judges in a request to Bedrock, or for its quotas: the actions and resources, which MiniStack does not see.

By the service authorization reference of Amazon Bedrock. An inference profile of AWS also needs the right to its models in all
of their regions, which are not known here: the profile itself is judged, and the model in the region of the request.
"""

import re

from .parser import AwsRequest
from .record import Call

# Operations whose action has another name.
ACTIONS = {"Converse": "InvokeModel", "ConverseStream": "InvokeModelWithResponseStream"}
PROFILE = re.compile(r"(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.")
JOB = "model-invocation-job"


def calls_of(caller: str, request: AwsRequest, region: str, account: str) -> list[Call]:
    if request.service == "service-quotas":
        # IAM has no resources for listings of quotas.
        return [Call(caller, f"servicequotas:{request.operation.name}", "*")]
    name = ACTIONS.get(request.operation.name, request.operation.name)
    action = f"bedrock:{name}"
    if name == "CreateModelInvocationJob":
        return creation(caller, request, region, account)
    return [Call(caller, action, resource) for resource in resources_of(request, region, account)]


def creation(caller: str, request: AwsRequest, region: str, account: str) -> list[Call]:
    create = "bedrock:CreateModelInvocationJob"
    model = request.parameters.get("modelId", "")
    job = f"arn:aws:bedrock:{region}:{account}:{JOB}/{'0' * 12}"
    passed = (("iam:PassedToService", "bedrock.amazonaws.com"),)
    calls = [Call(caller, create, resource) for resource in [*model_arns(model, region, account), job]]
    calls.append(Call(caller, "iam:PassRole", request.parameters.get("roleArn", ""), passed))
    if request.parameters.get("tags"):
        calls.append(Call(caller, "bedrock:TagResource", job))
    return calls


def resources_of(request: AwsRequest, region: str, account: str) -> list[str]:
    parameters = request.parameters
    if "jobIdentifier" in parameters:
        return [as_arn(parameters["jobIdentifier"], f"arn:aws:bedrock:{region}:{account}:{JOB}/")]
    for name in ("modelId", "modelIdentifier"):
        if name in parameters:
            return model_arns(parameters[name], region, account)
    if "inferenceProfileIdentifier" in parameters:
        return [
            as_arn(parameters["inferenceProfileIdentifier"], f"arn:aws:bedrock:{region}:{account}:inference-profile/")
        ]
    return ["*"]


def model_arns(model: str, region: str, account: str) -> list[str]:
    if model.startswith("arn:"):
        return [model]
    in_region = f"arn:aws:bedrock:{region}::foundation-model/"
    profile = PROFILE.match(model)
    if profile is None:
        return [in_region + model]
    return [f"arn:aws:bedrock:{region}:{account}:inference-profile/{model}", in_region + model[profile.end() :]]


def as_arn(identifier: str, prefix: str) -> str:
    return identifier if identifier.startswith("arn:") else prefix + identifier
