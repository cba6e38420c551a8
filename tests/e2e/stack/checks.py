"""Properties of every run that ends well, checked row by row with a reader of our own."""

import re
import tomllib
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from stack.local import REPOSITORY
from stack.prices import cost_of, price_of
from stack.run import Run

ANSWER_COLUMNS = ["error", "stop_reason", "input_tokens", "output_tokens", "attempts", "model_id"]


def assert_whole(run: Run, rows: pa.Table, sizes: list[int], record_ids: list[str] | None = None) -> None:
    """Each of `rows` came out once, in order, with all its columns and with its own answer, which batch jobs of `sizes`
    gave at the first attempt."""
    assert run.output["status"] == "completed"
    assert_rows_kept(run, rows, record_ids)
    assert_own_answers(run)
    assert pc.all(pc.is_null(run.rows["error"])).as_py()
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert {(attempt.lane, attempt.round) for attempt in run.job_attempts} == {("batch", 0)}
    assert_jobs(run, sizes)
    assert_totals(run, records_in=len(rows), answered=len(rows))


def assert_answered_on_demand(run: Run, rows: pa.Table, sizes: list[int], record_ids: list[str] | None = None) -> None:
    """The same for a run that sent each record on demand, from files of `sizes`; the model answered each of them once."""
    assert run.output["status"] == "completed"
    assert_rows_kept(run, rows, record_ids)
    assert_own_answers(run)
    assert pc.all(pc.is_null(run.rows["error"])).as_py()
    assert set(run.rows["attempts"].to_pylist()) == {1}
    assert [(attempt.lane, attempt.round, len(attempt)) for attempt in run.job_attempts] == [
        ("on_demand", 0, size) for size in sizes
    ]
    assert run.jobs == [], "no batch job was made"
    assert_answered_once_on_demand(run)
    assert_totals(run, records_in=len(rows), answered=len(rows))


def assert_rows_kept(
    run: Run, rows: pa.Table, record_ids: list[str] | None = None, out: pa.Table | None = None
) -> None:
    """Every row and column of `rows`, and after them what the run has added. `out`: the run's rows, if not in the order
    of its files."""
    out = run.rows if out is None else out
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
    assert (out.schema.field("attempts").type, out.schema.field("model_id").type) == (pa.uint32(), pa.string())
    assert out["attempts"].null_count == 0


def assert_own_answers(run: Run, all_came: bool = True, rows: pa.Table | None = None) -> None:
    """Each record was sent with the cells of its own row, and has the answer that Bedrock wrote for it, or says that there
    is none. `all_came`: there is at least a line for every record. `rows`: those that were sent, if not all."""
    sent = (run.rows if rows is None else rows).to_pylist()
    assert sorted(run.records) == sorted(row["record_id"] for row in sent), "exactly these records were sent"
    if all_came:
        assert sorted(run.answers) == sorted(run.records), "Bedrock answered exactly these records"
    batch_models = {job["jobName"]: job["modelId"] for job in run.jobs}
    model_of = {}
    for attempt in run.job_attempts:
        for record_id, line in attempt.line_of.items():
            model_of[record_id, id(line)] = batch_models[attempt.name] if attempt.lane == "batch" else line["modelId"]
    for row in sent:
        record_id = row["record_id"]
        assert text_of_input(run.records[record_id]) == expected_text(run, row)
        assert row["attempts"] == run.attempts[record_id], row
        answer = run.answers.get(record_id)
        if answer is None:
            assert_no_answer(row)
            assert row["error"], row
        else:
            assert answer["modelInput"] == run.records[record_id]
            assert_own_answer(row, answer)
            if "modelOutput" in answer:
                assert row["model_id"] == model_of[record_id, id(answer)], row


def assert_own_answer(row: dict, line: dict) -> None:
    if "error" in line:
        assert line["error"]["errorMessage"] in row["error"], row
        assert str(line["error"]["errorCode"]) in row["error"], row
        assert_no_answer(row)
        return
    output = line["modelOutput"]
    assert row["error"] is None, row
    assert row["model_id"], row
    if "embedding" in output:
        assert row["embedding"] == pa.array(output["embedding"], pa.float32()).to_pylist()
        assert row["input_tokens"] == output["inputTextTokenCount"]
        return
    text, stop_reason, read, written = text_of_output(output)
    assert (row["response"], row["stop_reason"]) == (text, stop_reason)
    assert (row["input_tokens"], row["output_tokens"]) == (read, written)


def assert_no_answer(row: dict) -> None:
    payload = row.get("response") or row.get("embedding")
    nothing = (payload, row["stop_reason"], row["input_tokens"], row["output_tokens"], row["model_id"])
    assert nothing == (None,) * 5, row


def text_of_output(output: dict) -> tuple[str, str, int, int]:
    """Text, stop reason and tokens of a `modelOutput`."""
    usage = output["usage"]
    if "content" in output:
        texts = [block["text"] for block in output["content"] if block["type"] == "text"]
        return "".join(texts), output["stop_reason"], usage["input_tokens"], usage["output_tokens"]
    texts = [block["text"] for block in output["output"]["message"]["content"] if "text" in block]
    return "".join(texts), output["stopReason"], usage["inputTokens"], usage["outputTokens"]


def text_of_input(model_input: dict) -> str:
    """The text of the prompt in a `modelInput`."""
    if "inputText" in model_input:
        return model_input["inputText"]
    return model_input["messages"][0]["content"][0]["text"]


def expected_text(run: Run, row: dict) -> str:
    prompt_id = run.plan["request"]["prompt_config"].get("prompt_id")
    if prompt_id is None:
        return row["input_text"]
    template = template_of(prompt_id)
    return re.sub(r"\{(\w+)\}", lambda match: str(row[match[1]]) if row[match[1]] is not None else "", template)


@cache
def template_of(prompt_id: str) -> str:
    file = REPOSITORY / "prompt-templates" / f"{prompt_id}.toml"
    return tomllib.loads(file.read_text())["template"]


def assert_jobs(run: Run, sizes: list[int], status: str | list[str] = "Completed") -> None:
    """Bedrock had exactly these jobs, each created by one call, and the files and the table agree."""
    statuses = [status] * len(sizes) if isinstance(status, str) else status
    jobs = run.jobs
    assert [job["counts"]["totalRecordCount"] for job in jobs] == sizes
    assert [job["status"] for job in jobs] == statuses
    assert [job["createCalls"] for job in jobs] == [1] * len(sizes)
    assert len({job["jobName"] for job in jobs}) == len(sizes)
    assert len({job["clientRequestToken"] for job in jobs}) == len(sizes)
    attempts = [attempt for attempt in run.job_attempts if attempt.lane == "batch"]
    assert [len(attempt) for attempt in attempts] == sizes
    assert [attempt.name for attempt in attempts] == [job["jobName"] for job in jobs]
    items = [item for item in run.items if item.get("lane") == "batch"]
    assert [item["job_name"] for item in items] == [job["jobName"] for job in jobs]
    assert [item["job_arn"] for item in items] == [job["jobArn"] for job in jobs]
    assert [item["status"] for item in items] == statuses
    assert all(item["answered"] and "open" not in item for item in items)


def assert_answered_once_on_demand(run: Run) -> None:
    """The simulator answered each request of the run once; the rows must differ from those of all other runs."""
    attempts = [attempt for attempt in run.job_attempts if attempt.lane == "on_demand"]
    assert attempts, "something was sent on demand"
    answered = run.stack.simulator.answered_on_demand()
    for attempt in attempts:
        for record_id, line in attempt.line_of.items():
            if "modelOutput" in line:
                times = answered.get((line["modelId"], run.stack.simulator.content(line["modelInput"])))
                assert times == 1, f"{record_id} was answered {times} times"


def assert_totals(
    run: Run,
    records_in: int,
    answered: int,
    failed: int = 0,
    skipped: int = 0,
    duplicates: int = 0,
    fell_back: dict[str, int] | None = None,
) -> None:
    """The counts of the summary agree with the rows, the jobs and the answers."""
    summary, rows = run.summary, run.rows
    assert summary["records_in"] == records_in
    assert (summary["answered"], summary["failed"], summary["skipped"]) == (answered, failed, skipped)
    assert answered + failed + skipped == records_in
    assert run.output["status"] == ("completed_with_errors" if failed else "completed")
    assert sum(summary["failed_reasons"].values()) == sum(summary["failed_codes"].values()) == failed
    assert sum(summary["skipped_reasons"].values()) == sum(summary["skipped_codes"].values()) == skipped
    assert len(rows) == records_in - skipped
    assert rows["error"].null_count == answered
    assert summary["duplicates"]["rows"] == duplicates
    assert summary["fell_back"] == (fell_back or {})
    assert summary["retried"] == sum(attempts > 1 for attempts in rows["attempts"].to_pylist())
    taken = [attempt for attempt in run.job_attempts if attempt.was_taken]
    assert summary["rounds"] == 1 + max((attempt.round for attempt in taken), default=0)
    assert summary["jobs"] == len(run.jobs) == sum(attempt.lane == "batch" for attempt in taken)
    for tokens in ("input_tokens", "output_tokens"):
        assert summary[tokens] == (pc.sum(rows[tokens]).as_py() or 0)
    assert_cost(run)


def tokens_of(line: dict) -> tuple[int, int]:
    output = line["modelOutput"]
    if "embedding" in output:
        return output["inputTextTokenCount"], 0
    return text_of_output(output)[2:]


def assert_cost(run: Run) -> None:
    """Answers, tokens and cost by lane are those of all lines, and the prices are those of the table of models."""
    summary = run.summary
    usage: dict[tuple[str, str], list[int]] = {}
    lanes: dict[str, dict[str, int]] = {}
    batch_models = {job["jobName"]: job["modelId"] for job in run.jobs}
    for attempt in run.job_attempts:
        if not attempt.was_taken:
            continue
        lane = lanes.setdefault(attempt.lane, {"jobs": 0, "answers": 0, "input_tokens": 0, "output_tokens": 0})
        lane["jobs"] += 1
        for line in attempt.line_of.values():
            if "modelOutput" in line:
                read, written = tokens_of(line)
                lane["answers"] += 1
                lane["input_tokens"] += read
                lane["output_tokens"] += written
                model_id = batch_models[attempt.name] if attempt.lane == "batch" else line["modelId"]
                used = usage.setdefault((attempt.lane, model_id), [0, 0])
                used[0] += read
                used[1] += written
    found = {
        lane: {name: count for name, count in totals.items() if name != "cost_usd"}
        for lane, totals in summary["lanes"].items()
    }
    assert found == lanes
    for tokens in ("input_tokens", "output_tokens"):
        assert summary[tokens] == sum(lane[tokens] for lane in lanes.values())
    for name in lanes:
        of_lane = {used: counts for used, counts in usage.items() if used[0] == name}
        assert_same_cost(summary["lanes"][name]["cost_usd"], cost_of(of_lane))
    assert_same_cost(summary["cost_usd"], cost_of(usage))
    assert_same_cost(summary["on_demand_cost_usd"], cost_of(usage, "on_demand"))
    prices = {(price["lane"], price["model_id"]): (price["input"], price["output"]) for price in summary["prices"]}
    known = {(lane, model_id): price_of(model_id, lane) for lane, model_id in usage}
    expected = {priced: price for priced, price in known.items() if price is not None}
    assert prices.keys() == expected.keys()
    for priced, price in prices.items():
        assert all(map(close, price, expected[priced])), priced


def close(one: float, other: float) -> bool:
    return abs(one - other) < 1e-9


def assert_same_cost(found: float | None, expected: float | None) -> None:
    """An unknown price makes the cost unknown, not 0."""
    if found is None or expected is None:
        assert found is expected, (found, expected)
    else:
        assert close(found, expected), (found, expected)
