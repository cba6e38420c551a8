"""The prompts of the template files, filled in without any code of ours."""

import re

from stack.checks import template_of, text_of_output
from stack.run import Run

MARK = re.compile(r"\{\{|\}\}|\{(\w+)\}")


def filled(prompt_id: str, row: dict) -> str:
    """The text that a row gets from this prompt."""

    def cell(found: re.Match) -> str:
        if found[1] is None:
            return found[0][0]
        value = row[found[1]]
        return "" if value is None else str(value)

    return MARK.sub(cell, template_of(prompt_id))


def sent_texts(run: Run) -> dict[str, str]:
    """The record ids by the texts that were sent. No two records of a run may have the same text."""
    found: dict[str, str] = {}
    for record_id, model_input in run.records.items():
        texts = [block["text"] for block in model_input["messages"][0]["content"] if "text" in block]
        assert len(texts) == 1 and texts[0] not in found, (record_id, found.get(texts[0]))
        found[texts[0]] = record_id
    return found


def answer_texts(run: Run) -> dict[str, str]:
    """The text of the answers by record id."""
    return {record_id: text_of_output(line["modelOutput"])[0] for record_id, line in run.answers.items()}
