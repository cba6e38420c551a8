"""Shapes of runs: their rows, the prompts of each row, and where the answers are in the output. `lossless.py` derives from a
shape what has to come out, in each layout, whatever happened."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from stack.chaos import QUICK
from stack.deployed import CLAUDE
from stack.evidence import Content, digest
from stack.inputs import csv_text, topic_table

ABOUT_ANSWERS = ("error", "stop_reason", "input_tokens", "output_tokens", "attempts", "model_id")
TITAN = "amazon.titan-embed-text-v2:0"
# The numbers make answers to different pictures different: the next stage has as many different rows.
LOOK = (
    'Describe this picture. Answer with this JSON: {{"seen": "some words", "a": 0.0-1.0, "b": 0.0-1.0, "c": 0.0-1.0}}'
)
ROW = '<row id="{row_id}">{topic}</row>'
PLACEHOLDER = re.compile(r"\{(\w+)\}|(?P<brace>\{\{|\}\})")


@dataclass(frozen=True)
class Outcome:
    """What the output says about one row and one of its prompts."""

    row_id: str
    prompt: str | None
    content: Content | None
    """None: not sent, because it failed in the stage before."""
    value: object
    error: str | None
    stop_reason: str | None
    tokens: tuple[int, int]
    attempts: int


@dataclass(frozen=True)
class Shape:
    """Rows and prompts of a run."""

    rows: pa.Table
    """What must come out of it unchanged, with `record_id`."""
    templates: Mapping[str, str]
    """By prompt; of one prompt for all rows its name does not matter."""
    prompts_of: Callable[[dict], list[str]] | None = None
    """The prompts of a row, if it may have several."""
    is_wide: bool = False
    images: Mapping[str, bytes] = field(default_factory=dict)
    """By `image_path`, if an image is sent with each row."""
    payload: str = "response"
    shares_requests: bool = False
    sends_duplicates: bool = False
    """Each row is sent, even if it equals an earlier one."""
    fields: frozenset[str] = frozenset()
    """Columns of answers."""
    failed_before: str | None = None
    """The column with the error of the stage before, whose rows are not sent."""
    is_stage: bool = False
    """Columns of earlier stages continue under names that are not checked here."""

    @property
    def added_columns(self) -> set[str]:
        one = {self.payload, *ABOUT_ANSWERS, *self.fields}
        if self.is_wide:
            return {f"{prompt}_{name}" for prompt in self.templates for name in one} | {"error"}
        return one | ({"prompt_id"} if self.prompts_of else set())

    def expected(self) -> list[tuple[str, str | None]]:
        """The id and the prompt of each outcome."""
        found: list[tuple[str, str | None]] = []
        for row in self.rows.to_pylist():
            several = self.prompts_of(row) if self.prompts_of and not self.has_failed_before(row) else [None]
            found += [(row["record_id"], prompt) for prompt in several]
        return found

    def outcomes(self, rows: pa.Table) -> Iterator[Outcome]:
        """What answered rows say, one by one for each prompt."""
        for row in rows.to_pylist():
            if not self.is_wide:
                yield self.outcome(row, row["prompt_id"] if self.prompts_of else None, row)
                continue
            assert self.prompts_of
            if self.has_failed_before(row):
                # Without prompts, it counts and says so once.
                yield self.outcome(row, None, dict.fromkeys((self.payload, *ABOUT_ANSWERS)) | {"error": row["error"]})
                continue
            for prompt in self.prompts_of(row):
                yield self.outcome(
                    row, prompt, {name: row[f"{prompt}_{name}"] for name in (self.payload, *ABOUT_ANSWERS)}
                )

    def outcome(self, row: dict, prompt: str | None, answer: dict) -> Outcome:
        value = answer[self.payload]
        return Outcome(
            row_id=row["record_id"],
            prompt=prompt,
            content=None if self.has_failed_before(row) else self.content(row, prompt),
            value=json.loads(value) if self.shares_requests and value is not None else value,
            error=answer["error"],
            stop_reason=answer["stop_reason"],
            tokens=(answer["input_tokens"] or 0, answer["output_tokens"] or 0),
            attempts=answer["attempts"] or 0,
        )

    @property
    def csv_input(self) -> bytes:
        """The rows as a run gets them: the ids are made by it."""
        return csv_text(self.rows.drop_columns(["record_id"]))

    def has_failed_before(self, row: dict) -> bool:
        return self.failed_before is not None and row[self.failed_before] is not None

    def content(self, row: dict, prompt: str | None) -> Content:
        """What the model has to be shown of a row, by its own cells."""
        template = self.templates[prompt] if prompt else next(iter(self.templates.values()))

        def filled(found: re.Match) -> str:
            if found["brace"]:
                return found["brace"][0]
            return "" if row[found[1]] is None else str(row[found[1]])

        text = PLACEHOLDER.sub(filled, template)
        return Content(text, digest(self.images[row["image_path"]]) if self.images else None)


def with_ids(table: pa.Table) -> pa.Table:
    ids = [f"r{position:09}" for position in range(len(table))]
    return table.add_column(0, "record_id", pa.array(ids))


def repeated_topics(count: int, repeated: int = 0) -> pa.Table:
    """Different topics, and the first of them once more."""
    table = topic_table(count)
    return pa.concat_tables([table, table.slice(0, repeated)])


# --- shapes, with the fields of the input that make them ---


def single(table: pa.Table) -> tuple[Shape, dict]:
    """One prompt for all rows."""
    prompt = {"description": "A joke.", "template": "Tell a joke about {topic}."}
    return Shape(with_ids(table), {"joke": str(prompt["template"])}), {"prompt_id": None, "prompt": prompt}


def embeddings(table: pa.Table) -> tuple[Shape, dict]:
    fields = {"model_id": TITAN, "prompt_id": None}
    rows = with_ids(table.rename_columns(["input_text"]))
    return Shape(rows, {"text": "{input_text}"}, payload="embedding"), fields


def expanded(table: pa.Table, is_wide: bool) -> tuple[Shape, dict]:
    """Two prompts for every second row, one for the others."""
    kinds = ["both" if position % 2 else "one" for position in range(len(table))]
    rules = {"both": ["praise", "blame"], "one": ["praise"]}
    templates = {"praise": "Praise {topic}.", "blame": "Blame {topic}."}
    prompts: dict[str, dict] = {name: {"description": name, "template": text} for name, text in templates.items()}
    prompts |= {name: {"description": name, "expansion_rule": True, "prompts": of} for name, of in rules.items()}
    fields = {
        "prompt_id": None,
        "prompts": prompts,
        "prompt_config": {"mode": "expanded", "category_column": "kind", "expansion_mapping": {n: n for n in rules}},
        "expanded_layout": "wide" if is_wide else "long",
    }
    rows = with_ids(table.append_column("kind", pa.array(kinds)))
    return Shape(rows, templates, lambda row: rules[row["kind"]], is_wide, sends_duplicates=is_wide), fields


def shared_requests(table: pa.Table, per_request: int) -> tuple[Shape, dict]:
    """Several rows per request."""
    form = '[{{"id": "its id", "mood": "good|bad", "note": "one sentence"}}]'
    prompt = {
        "description": "Moods.",
        "template": f"The mood of each text:\n{{rows}}\nAnswer with this JSON: {form}",
        "rows": {"template": ROW},
        "output_schema": {"type": "json", "fields": {"mood": "$.mood"}},
    }
    fields = {"prompt_id": None, "prompt": prompt, "rows_per_request": per_request, "inference": {"max_tokens": 4096}}
    shape = Shape(with_ids(table), {"mood": "{topic}"}, shares_requests=True, fields=frozenset({"mood"}))
    return shape, fields


def pictures(images: Mapping[str, bytes], table: pa.Table | None = None) -> tuple[Shape, dict]:
    """A picture for each row: of a table that names them, or of a folder."""
    prompt = {"description": "What is seen.", "template": LOOK}
    if table is None:
        paths = sorted(images, key=str.encode)
        table = pa.table({"image_path": paths, "file_name": [path.rsplit("/", 1)[1] for path in paths]})
    fields = {"prompt_id": None, "prompt": prompt, "input_type": "image"}
    return Shape(with_ids(table), {"look": LOOK}, images=images), fields


@dataclass(frozen=True)
class Stages:
    """A pipeline over pictures: what is seen, praise and blame of it side by side, and one text about both."""

    config: dict
    first: Shape

    def shapes(self, outputs: list[pa.Table]) -> Iterator[Shape]:
        """The shape of each stage, given the answered rows of all of them: each later stage has to send what the one before
        answered."""
        yield self.first
        before = [table.sort_by("record_id") for table in outputs[:-1]]
        # What was seen, as the first stage wrote it, under the name that the second one gives it.
        carried = before[0].select(["record_id", "image_path", "file_name", "response", "error"])
        rows = carried.rename_columns(["record_id", "image_path", "file_name", "seen", "look_error"])
        yield replace(self.second(rows), failed_before="look_error")
        praised = before[1].select(["record_id", "seen", "praise_response", "blame_response", "error"])
        rows = praised.rename_columns(["record_id", "seen", "praise_response", "blame_response", "rate_error"])
        template = self.config["stages"][2]["prompt"]["template"]
        yield Shape(rows, {"sum": template}, failed_before="rate_error", is_stage=True)

    def second(self, rows: pa.Table) -> Shape:
        prompts = self.config["prompts"]
        templates = {name: prompts[name]["template"] for name in ("praise", "blame")}
        return Shape(rows, templates, lambda row: list(templates), is_wide=True, sends_duplicates=True, is_stage=True)


def stages_of_pictures(images: Mapping[str, bytes], folder: str) -> Stages:
    """`folder`: the address that they are under."""
    first, look = pictures(images)
    prompts = {name: {"description": name, "template": f"{name} this: {{seen}}"} for name in ("praise", "blame")}
    both = {"description": "Both.", "expansion_rule": True, "prompts": list(prompts)}
    last = {"description": "A sum.", "template": "In short: {praise_response} But: {blame_response}"}
    quick = {"model_id": CLAUDE, "max_retry_rounds": 2, **QUICK}
    expansion = {"mode": "expanded", "category_column": "file_name", "expansion_mapping": {"default": "both"}}
    rate = {"prompt_config": expansion, "expanded_layout": "wide", "column_mappings": {"seen": "response"}}
    config = {
        "pipeline_name": "pictures",
        "prompts": {**prompts, "both": both},
        "stages": [
            {**quick, **look, "stage_name": "look", "job_name_prefix": "look", "input_s3_uri": folder},
            {**quick, **rate, "stage_name": "rate", "job_name_prefix": "rate", "use_previous_output": True},
            {**quick, "prompt": last, "stage_name": "sum", "job_name_prefix": "sum", "use_previous_output": True},
        ],
    }
    return Stages(config, first)
