"""Deployment of the CDK app to MiniStack with cdklocal, only if something has changed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from .contract import FUNCTIONS
from .environment import EVENT_SOURCE, REGION, aws_environment
from .packages import digest_of, files_in, package_functions
from .settings import REPOSITORY, Settings, UserError

INFRA = REPOSITORY / "infra"
SOURCES = ("bin", "lib", "cdk.json", "package-lock.json", "tsconfig.json")
CDKLOCAL = INFRA / "node_modules" / ".bin" / "cdklocal"
ACCOUNT = "000000000000"

# Waits that take minutes in an account are shortened to seconds, so that users and tests see them end.
SHORT_WAITS = {
    "reconcileMinutes": 1,
    "reconcileSilentSeconds": 5,
    "onDemandInvocationSeconds": 20,
    "lateAnswersSeconds": 15,
    "uploadRetrySeconds": 1,
}


def missing_for_deployment(settings: Settings) -> list[str]:
    """Lists the prerequisites of a deployment that are missing, each with its remedy."""
    problems = []
    unbuilt = [name for name in FUNCTIONS if not (settings.lambda_directory / name / "bootstrap").is_file()]
    if unbuilt:
        problems.append(
            f"functions not built in {settings.lambda_directory}: {', '.join(unbuilt)}. Build them with `make build`, "
            "or set LAMBDA_DIRECTORY to their directory"
        )
    if not CDKLOCAL.is_file():
        problems.append(f"{CDKLOCAL} does not exist. Install the CDK with `make setup` (or `npm ci` in infra/)")
    return problems


def deploy(settings: Settings, ministack: dict, endpoint: str, simulator: str) -> tuple[dict[str, str], bool]:
    """Deploys the stack if necessary. Returns its outputs, and True if it was deployed."""
    stamp_file = settings.state / "deployed.json"
    stamp = {
        # The content of MiniStack is lost with its process.
        "ministack": [ministack["pid"], ministack["started_at"]],
        "simulator": simulator,
        "stage": settings.stage,
        "sources": {
            **{name: digest_of(files_in(INFRA / name), INFRA) for name in SOURCES},
            **{
                name: digest_of(files_in(settings.lambda_directory / name), settings.lambda_directory)
                for name in FUNCTIONS
            },
        },
    }
    previous = read_json(stamp_file)
    if previous.get("stamp") == stamp:
        return previous["outputs"], False

    stamp_file.unlink(missing_ok=True)
    log = settings.logs / "deploy.log"
    log.unlink(missing_ok=True)
    environment = cdk_environment(endpoint)
    if previous.get("stamp", {}).get("ministack") != stamp["ministack"]:
        # Run in the state directory: without a cdk.json, CDK does not synthesize the app first.
        run_cdk(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], settings.state, environment, log)
    outputs_file = settings.state / "outputs.json"
    assembly = settings.state / "cdk.out"
    # CDK never deletes the functions of earlier deployments there.
    shutil.rmtree(assembly, ignore_errors=True)
    context = {
        "lambdaDirectory": str(package_functions(settings)),
        "stage": settings.stage,
        "bedrockEventSource": EVENT_SOURCE,
        "bedrockEndpointUrl": simulator,
        # Each job is some processes here; the quota is a hundred jobs.
        "maxSubmittedAndInProgressJobs": "5",
        # Tests make runs as old as that.
        "deleteWorkingFilesAfterDays": "30",
        **SHORT_WAITS,
    }
    options = [f"--output={assembly}", f"--outputs-file={outputs_file}", "--require-approval=never", "--method=direct"]
    options += [f"--context={name}={value}" for name, value in context.items()]
    # All stacks of the app, which is the one of the stage.
    run_cdk(["deploy", "--all", *options], INFRA, environment, log)
    (outputs,) = read_json(outputs_file).values()
    stamp_file.write_text(json.dumps({"stamp": stamp, "outputs": outputs}))
    return outputs, True


def cdk_environment(endpoint: str) -> dict[str, str]:
    """Returns the user's environment without their AWS settings, and with settings that let CDK contact only the local
    stack."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return {
        **others,
        **aws_environment(endpoint),
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        "NODE_NO_WARNINGS": "1",
    }


def run_cdk(arguments: list[str], directory: Path, environment: dict[str, str], log: Path) -> None:
    command = [str(CDKLOCAL), *arguments, "--no-notices", "--no-version-reporting", "--progress=events"]
    with log.open("ab") as output:
        result = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode != 0:
        tail = "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-25:])
        raise UserError(f"`cdklocal {arguments[0]}` failed. Last lines of {log}:\n{tail}")


def read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
