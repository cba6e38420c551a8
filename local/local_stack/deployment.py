"""Deploys the CDK app to MiniStack with cdklocal, and only when something changed."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

from .environment import EVENT_SOURCE, REGION, aws_environment
from .settings import REPOSITORY, Settings, UserError

INFRA = REPOSITORY / "infra"
STACK = "BedrockBatchOrchestratorStack"
ACCOUNT = "000000000000"
FUNCTIONS = ("preprocess", "submit", "job-status", "postprocess", "finalize")


def deploy(settings: Settings, ministack: dict, endpoint: str, simulator: str) -> tuple[dict[str, str], bool]:
    """The stack's outputs, and whether anything had to be deployed."""
    require_inputs(settings)
    stamp_file = settings.state / "deployed.json"
    stamp = {
        # What a MiniStack holds goes with its process.
        "ministack": [ministack["pid"], ministack["started_at"]],
        "simulator": simulator,
        "sources": fingerprint(settings),
    }
    previous = read_json(stamp_file)
    if previous.get("stamp") == stamp:
        return previous["outputs"], False

    stamp_file.unlink(missing_ok=True)
    log = settings.logs / "deploy.log"
    log.unlink(missing_ok=True)
    environment = cdk_environment(endpoint)
    if previous.get("stamp", {}).get("ministack") != stamp["ministack"]:
        # From the state directory, where no cdk.json makes it synthesize the app first.
        run_cdk(["bootstrap", f"aws://{ACCOUNT}/{REGION}"], settings.state, environment, log)
    outputs_file = settings.state / "outputs.json"
    context = {
        "lambdaDirectory": str(settings.lambda_directory),
        "bedrockEventSource": EVENT_SOURCE,
        "bedrockEndpointUrl": simulator,
    }
    run_cdk(
        [
            "deploy",
            STACK,
            "--require-approval=never",
            f"--output={settings.state / 'cdk.out'}",
            f"--outputs-file={outputs_file}",
            *(f"--context={name}={value}" for name, value in context.items()),
        ],
        INFRA,
        environment,
        log,
    )
    outputs = read_json(outputs_file)[STACK]
    stamp_file.write_text(json.dumps({"stamp": stamp, "outputs": outputs}))
    return outputs, True


def require_inputs(settings: Settings) -> None:
    missing = [name for name in FUNCTIONS if not (settings.lambda_directory / name / "bootstrap").is_file()]
    if missing:
        raise UserError(f"not built in {settings.lambda_directory}: {', '.join(missing)}. Build the functions with `make lambdas`, or name their directory in LAMBDA_DIRECTORY")
    if not cdklocal().is_file():
        raise UserError(f"{cdklocal()} is missing. Install the CDK with `npm ci` in infra/")


def cdklocal() -> Path:
    return INFRA / "node_modules" / ".bin" / "cdklocal"


def fingerprint(settings: Settings) -> str:
    """Changes with the bytes of anything that a deployment is made of."""
    digest = hashlib.blake2b()
    roots = [INFRA / name for name in ("bin", "lib", "cdk.json", "package-lock.json", "tsconfig.json")]
    for root in (*roots, *(settings.lambda_directory / name for name in FUNCTIONS)):
        files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
        for path in files:
            digest.update(f"{path}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as content:
                digest.update(hashlib.file_digest(content, "blake2b").digest())
    return digest.hexdigest()


def cdk_environment(endpoint: str) -> dict[str, str]:
    """The user's environment without their AWS settings, and a CDK that asks nobody but the local stack."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return {
        **mine,
        **aws_environment(endpoint),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        "NODE_NO_WARNINGS": "1",
    }


def run_cdk(arguments: list[str], directory: Path, environment: dict[str, str], log: Path) -> None:
    command = [str(cdklocal()), *arguments, "--no-notices", "--no-version-reporting", "--progress=events"]
    with log.open("ab") as output:
        result = subprocess.run(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False)
    if result.returncode != 0:
        tail = log.read_text(errors="replace").splitlines()[-25:]
        raise UserError(f"`cdklocal {arguments[0]}` failed. The end of {log}:\n" + "\n".join(f"  {line}" for line in tail))


def read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
