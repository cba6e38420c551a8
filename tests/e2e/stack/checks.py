"""What must hold of every run that ends well, checked row by row with a reader of our own."""

import re
import tomllib

import pyarrow as pa
import pyarrow.compute as pc

from stack.local import REPOSITORY
from stack.run import Run

ANSWER_COLUMNS = ["error", "stop_reason", "input_tokens", "output_tokens"]


def assert_whole(run: Run, rows: pa.Table, sizes: list[int], record_ids: list[str] | None = None) -> None:
    """Each of `rows` came out once, in order, with all its columns and with its own answer; jobs of `sizes` did it."""
    assert run.output["status"] == "completed"
    assert_rows_kept(run, rows, record_ids)
    assert_own_answers(run)
    assert pc.all(pc.is_null(run.rows["error"])).as_py()
    assert_jobs(run, sizes)
    assert_totals(run, records_in=len(rows), answered=len(rows))


def assert_rows_kept(run: Run, rows: pa.Table, record_ids: list[str] | None = None) -> None:
    """Every row and column of `rows`, and after them what the run has added."""
    out = run.rows
    record_ids = record_ids or [f"r{position:09}" for position in range(len(rows))]
    kept = [name for name in rows.column_names if name != "record_id"]
    payload = "embedding" if run.plan["model"]["family"] == "titan-text-embeddings" else "response"
    added = [payload, *ANSWER_COLUMNS]
    names = [f"input_{name}" if name in added else name for name in kept]
    assert out.column_names == ["record_id", *names, *added]
    assert out["record_id"].to_pylist() == record_ids
    for name, in_output in zip(kept, names, strict=True):
        assert out.schema.field(in_output).type == rows.schema.field(name).type, name
        assert out[in_output].combine_chunks().equals(rows[name].combine_chunks()), name


def assert_own_answers(run: Run) -> None:
    """Each record was asked with the cells of its own row, and got the answer that Bedrock wrote for it."""
    rows = run.rows.to_pylist()
    assert sorted(run.records) == sorted(row["record_id"] for row in rows), "exactly these records were sent"
    assert sorted(run.answers) == sorted(run.records), "Bedrock answered exactly these records"
    for row in rows:
        record_id = row["record_id"]
        assert text_of_input(run.records[record_id]) == expected_text(run, row)
        assert run.answers[record_id]["modelInput"] == run.records[record_id]
        assert_own_answer(row, run.answers[record_id])


def assert_own_answer(row: dict, line: dict) -> None:
    if "error" in line:
        assert line["error"]["errorMessage"] in row["error"], row
        assert str(line["error"]["errorCode"]) in row["error"], row
        assert row.get("response") is None and row.get("embedding") is None, row
        return
    output = line["modelOutput"]
    assert row["error"] is None, row
    if "embedding" in output:
        assert row["embedding"] == pa.array(output["embedding"], pa.float32()).to_pylist()
        assert row["input_tokens"] == output["inputTextTokenCount"]
        return
    text, stop_reason, read, written = text_of_output(output)
    assert (row["response"], row["stop_reason"]) == (text, stop_reason)
    assert (row["input_tokens"], row["output_tokens"]) == (read, written)


def text_of_output(output: dict) -> tuple[str, str, int, int]:
    """Text, stop reason and tokens of a `modelOutput`."""
    usage = output["usage"]
    if "content" in output:
        texts = [block["text"] for block in output["content"] if block["type"] == "text"]
        return "".join(texts), output["stop_reason"], usage["input_tokens"], usage["output_tokens"]
    texts = [block["text"] for block in output["output"]["message"]["content"] if "text" in block]
    return "".join(texts), output["stopReason"], usage["inputTokens"], usage["outputTokens"]


def text_of_input(model_input: dict) -> str:
    """What a `modelInput` asks."""
    if "inputText" in model_input:
        return model_input["inputText"]
    return model_input["messages"][0]["content"][0]["text"]


def expected_text(run: Run, row: dict) -> str:
    prompt_id = run.plan["request"]["prompt_id"]
    if prompt_id is None:
        return row["input_text"]
    template = template_of(prompt_id)
    return re.sub(r"\{(\w+)\}", lambda match: str(row[match[1]]) if row[match[1]] is not None else "", template)


def template_of(prompt_id: str) -> str:
    file = REPOSITORY / "prompt-templates" / f"{prompt_id}.toml"
    return tomllib.loads(file.read_text())["template"]


def assert_jobs(run: Run, sizes: list[int], status: str = "Completed") -> None:
    """Bedrock had exactly these jobs, each made by one call, and the files and the table say the same."""
    jobs = run.jobs
    assert [job["counts"]["totalRecordCount"] for job in jobs] == sizes
    assert [job["status"] for job in jobs] == [status] * len(sizes)
    assert [job["createCalls"] for job in jobs] == [1] * len(sizes)
    assert len({job["jobName"] for job in jobs}) == len(sizes)
    assert len({job["clientRequestToken"] for job in jobs}) == len(sizes)
    manifest = run.json("jobs.json")
    assert [job["records"] for job in manifest] == sizes
    assert [job["name"] for job in manifest] == [job["jobName"] for job in jobs]
    items = run.items
    assert [item["job_name"] for item in items] == [job["jobName"] for job in jobs]
    assert [item["job_arn"] for item in items] == [job["jobArn"] for job in jobs]
    assert [item["status"] for item in items] == [status] * len(sizes)
    assert all(item["answered"] and "open" not in item for item in items)


def assert_totals(run: Run, records_in: int, answered: int, failed: int = 0, skipped: int = 0) -> None:
    """The summary's counts, which must also be those of the rows."""
    summary, rows = run.summary, run.rows
    assert summary["records_in"] == records_in
    assert (summary["answered"], summary["failed"], summary["skipped"]) == (answered, failed, skipped)
    assert answered + failed + skipped == records_in
    assert sum(summary["failed_reasons"].values()) == failed
    assert sum(summary["skipped_reasons"].values()) == skipped
    assert len(rows) == records_in - skipped
    assert rows["error"].null_count == answered
    for tokens in ("input_tokens", "output_tokens"):
        assert summary[tokens] == (pc.sum(rows[tokens]).as_py() or 0)
