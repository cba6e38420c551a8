"""A CSV with an unclosed quote is refused with the line of the quote, instead of making one cell of the remaining file;
folders of unfinished work under a prefix are not read."""

from stack.inputs import csv_text, topic_table


def play(stack):
    lines = ["topic", *(f"topic {number}" for number in range(200))]
    lines[150] = f'"{lines[150]}'
    folder = "inputs/spark"
    stack.put(f"{folder}/part-0.csv", csv_text(topic_table(120)))
    stack.put(f"{folder}/_temporary/0/part-0.csv", csv_text(topic_table(60)))
    stack.put(f"{folder}/.hive-staging/part-0.csv", csv_text(topic_table(60)))
    return stack.play_all(
        {
            "open-quote": stack.joke(stack.put_input("\n".join(lines) + "\n")),
            "unfinished": stack.joke(f"s3://{stack.bucket}/{folder}/"),
        }
    )


def test_a_quote_that_is_never_closed(played):
    error, cause = played["open-quote"].failure()
    assert error == "InvalidInput"
    assert "line 151" in cause


def test_folders_of_unfinished_work(played):
    assert len(played["unfinished"].rows) == 120
