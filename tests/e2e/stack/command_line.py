"""The command line program, called as scripts do."""

import subprocess

from stack.local import command_line_program


def command_line(stack):
    """Calls the program with arguments, and expects this exit code."""
    program = command_line_program()
    assert program.is_file(), f"{program} is missing: build it with `make build`, or name it in BEDROCK_BATCH"

    def call(*arguments, exit_code: int = 0) -> subprocess.CompletedProcess:
        command = [str(program), *map(str, arguments)]
        done = subprocess.run(command, env=stack.environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == exit_code, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
        return done

    return call
