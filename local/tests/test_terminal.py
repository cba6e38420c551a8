"""Nothing that the local stack prints is obeyed by the terminal."""

import subprocess
import sys

import pytest

from local_stack.settings import REPOSITORY
from local_stack.terminal import fail, is_hidden, printable, say

HOSTILE = "k\x1b]0;title\x07\x7f\x9b31m\u202etxt\u2028\u200b\ufeff\U000e0041\r\n  next\tline"


def shows_all(text: str) -> bool:
    return not any(is_hidden(character) for character in text.replace("\n", ""))


def test_hidden_characters_are_replaced_and_lines_stay():
    text = printable(HOSTILE)
    assert shows_all(text)
    assert text.splitlines()[-1] == "  next  line"
    assert printable("Größe 寝袋 می\u200cخواهم") == "Größe 寝袋 می\u200cخواهم"


def test_what_is_cut_is_counted():
    assert printable("x" * 30_000).endswith("xx… (10000 more characters)")


def test_messages_and_errors_are_printable(capsys):
    say(HOSTILE)
    assert shows_all(capsys.readouterr().out)
    with pytest.raises(SystemExit) as error:
        fail(HOSTILE)
    assert shows_all(str(error.value))


@pytest.mark.parametrize("program", ["up", "down"])
def test_programs_report_hostile_names_and_settings(program, tmp_path):
    environment = {
        "LOCAL_STATE_DIR": str(tmp_path / "state"),
        "LAMBDA_DIRECTORY": str(tmp_path / "no\x1b[2J\u202e\nfunctions"),
        "LOCAL_VENV": str(tmp_path / "no\x9b31mvenv"),
        "HOME": str(tmp_path),
    }
    command = [sys.executable, str(REPOSITORY / "local" / program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert shows_all(done.stdout + done.stderr)
    assert done.returncode == (1 if program == "up" else 0)
