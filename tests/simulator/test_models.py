"""Which models there are, whether they are alive, and which inference profiles a region has: as Bedrock says it, and as it
enforces it."""

import json

import pytest
from botocore.exceptions import ClientError

import jobs
from conftest import end, start_simulator
from service_model import BEDROCK, SERVICE_QUOTAS, operation, problems

HAIKU = jobs.MODEL.removeprefix("us.")
DEAD = "anthropic.claude-3-haiku-20240307-v1:0"
OPUS = "us.anthropic.claude-opus-5"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("GetFoundationModel", f"/foundation-models/{HAIKU}"),
        ("GetFoundationModelAvailability", f"/foundation-model-availability/{HAIKU}"),
        ("ListFoundationModels", "/foundation-models"),
        ("ListInferenceProfiles", "/inference-profiles?maxResults=3"),
        ("GetInferenceProfile", f"/inference-profiles/{jobs.MODEL}"),
    ],
)
def test_answers_follow_the_service_model(simulator, name, path):
    status, headers, answer = simulator.request("GET", path)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert problems(BEDROCK, operation(BEDROCK, name)["output"]["shape"], answer) == []


def quotas_of(simulator):
    pages = simulator.client("service-quotas").get_paginator("list_service_quotas")
    pages = pages.paginate(ServiceCode="bedrock", PaginationConfig={"PageSize": 7})
    quotas = [quota for page in pages for quota in page["Quotas"]]
    assert len(quotas) == len({quota["QuotaCode"] for quota in quotas}) > 7
    return {quota["QuotaName"]: quota["Value"] for quota in quotas}


def test_quotas_follow_the_service_model(simulator):
    target = {"X-Amz-Target": "ServiceQuotasV20190624.ListServiceQuotas"}
    status, _, answer = simulator.request("POST", "/", {"ServiceCode": "bedrock", "MaxResults": 3}, target)
    assert status == 200
    assert problems(SERVICE_QUOTAS, operation(SERVICE_QUOTAS, "ListServiceQuotas")["output"]["shape"], answer) == []


def test_the_quota_of_jobs_is_the_one_that_is_enforced(local_aws, s3):
    process, simulator = start_simulator(local_aws, "--job-quota", "amazon.nova-micro-v1:0=1")
    try:
        simulator.behave(job_seconds=60)
        name = "Sum of in-progress and submitted batch inference jobs using a base model for amazon "
        quotas = quotas_of(simulator)
        assert quotas[name + "nova-micro-v1:0"] == 1
        assert quotas[name + "nova-lite-v1:0"] == 100
        uri, bedrock = jobs.put_input(s3), simulator.client("bedrock")
        jobs.create(bedrock, uri, modelId="us.amazon.nova-micro-v1:0")
        with pytest.raises(ClientError, match="quota of submitted and in-progress"):
            jobs.create(bedrock, uri, modelId="us.amazon.nova-micro-v1:0")
        jobs.create(bedrock, uri, modelId="us.amazon.nova-lite-v1:0")
    finally:
        end(process)


def test_a_model_says_how_it_is_invoked(simulator, bedrock):
    def details(model):
        return bedrock.get_foundation_model(modelIdentifier=model)["modelDetails"]

    assert details(HAIKU)["inferenceTypesSupported"] == []
    assert details("amazon.nova-lite-v1:0")["inferenceTypesSupported"] == ["ON_DEMAND"]
    assert details(HAIKU)["modelLifecycle"]["status"] == "ACTIVE"
    assert details("amazon.nova-micro-v1:0")["inputModalities"] == ["TEXT"]


@pytest.mark.parametrize("model", [DEAD, "acme.model-1", jobs.MODEL])
def test_a_model_that_is_not_offered_is_not_found(simulator, bedrock, model):
    with pytest.raises(ClientError) as caught:
        bedrock.get_foundation_model(modelIdentifier=model)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_profiles_are_those_of_the_region_in_pages(simulator, bedrock):
    pages = bedrock.get_paginator("list_inference_profiles").paginate(
        typeEquals="SYSTEM_DEFINED", PaginationConfig={"PageSize": 7}
    )
    ids = [profile["inferenceProfileId"] for page in pages for profile in page["inferenceProfileSummaries"]]
    assert len(ids) == len(set(ids)) > 7
    assert {jobs.MODEL, f"global.{HAIKU}"} <= set(ids)
    assert {name.split(".")[0] for name in ids} == {"us", "global"}
    assert bedrock.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"] == []
    with pytest.raises(ClientError, match="was not found"):
        bedrock.get_inference_profile(inferenceProfileIdentifier=f"eu.{HAIKU}")


@pytest.mark.parametrize("model", [DEAD, f"us.{DEAD}"])
def test_a_dead_model_is_refused_in_batch_and_on_demand(simulator, bedrock, runtime, model):
    with pytest.raises(ClientError, match="reached the end of its life") as of_job:
        bedrock.create_model_invocation_job(**jobs.request(modelId=model))
    with pytest.raises(ClientError, match="reached the end of its life") as of_request:
        runtime.invoke_model(modelId=model, body=json.dumps(jobs.claude_body("Hello")))
    for caught in (of_job, of_request):
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_model_can_be_kept_alive(local_aws):
    process, simulator = start_simulator(local_aws, "--alive", DEAD)
    try:
        details = simulator.client("bedrock").get_foundation_model(modelIdentifier=DEAD)["modelDetails"]
        assert details["modelLifecycle"] == {"status": "ACTIVE"}
        answer = simulator.client("bedrock-runtime").invoke_model(modelId=DEAD, body=json.dumps(jobs.claude_body("Hi")))
        assert json.loads(answer["body"].read())["content"]
    finally:
        end(process)


@pytest.mark.parametrize("model", [f"eu.{HAIKU}", "jp.anthropic.claude-opus-5", "us.amazon.titan-embed-text-v2:0"])
def test_a_profile_that_the_region_does_not_have_is_refused(simulator, bedrock, runtime, model):
    with pytest.raises(ClientError, match="identifier is invalid"):
        bedrock.create_model_invocation_job(**jobs.request(modelId=model))
    with pytest.raises(ClientError, match="identifier is invalid"):
        runtime.invoke_model(modelId=model, body=b"{}")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"temperature": 0.5}, "temperature"),
        ({"top_p": 0.5}, "top_p"),
        ({"top_k": 5}, "top_k"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000}, "adaptive"),
        ({"max_tokens": 200_000}, "max_tokens"),
        ({"prefill": "So"}, "prefill"),
    ],
)
def test_a_record_with_a_parameter_that_its_model_refuses_gets_its_own_error(simulator, bedrock, s3, changed, says):
    records = [jobs.record(index) for index in range(99)]
    body = jobs.claude_body("Hello", **{name: value for name, value in changed.items() if name != "prefill"})
    if "prefill" in changed:
        body["messages"].append({"role": "assistant", "content": changed["prefill"]})
    records.append({"recordId": "refused", "modelInput": body})
    job = jobs.finish(bedrock, jobs.create(bedrock, jobs.put_lines(s3, f"{says}/0000.jsonl", records), modelId=OPUS))
    assert (job["status"], job["errorRecordCount"]) == ("Completed", 1)
    lines, _ = jobs.output(s3, job)
    (refused,) = (line for line in lines if line["recordId"] == "refused")
    assert refused["error"]["errorCode"] == 400
    assert says in refused["error"]["errorMessage"]
