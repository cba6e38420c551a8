"""The executions of the Python samples: jokes and embeddings, with the JSON that their readers have."""

from stack.checks import assert_whole
from stack.inputs import texts_of_csv
from stack.local import REPOSITORY

FIXTURES = REPOSITORY / "tests" / "fixtures"


def play(stack):
    topics = stack.put("inputs/jokes/topics.csv", (FIXTURES / "topics.csv").read_bytes())
    texts = stack.put("inputs/embeddings/embedding_input.csv", (FIXTURES / "embedding_input.csv").read_bytes())
    return stack.play_all(
        {
            "jokes": {
                "s3_uri": topics,
                "job_name_prefix": "test-joke-job1",
                "model_id": "anthropic.claude-3-haiku-20240307-v1:0",
                "prompt_id": "joke_about_topic",
            },
            "embeddings": {
                "s3_uri": texts,
                "job_name_prefix": "test-embeddings-job1",
                "model_id": "amazon.titan-embed-text-v2:0",
                "prompt_id": None,
            },
        }
    )


def assert_file_is_answered(run, name: str) -> None:
    rows = texts_of_csv((FIXTURES / name).read_bytes())
    assert_whole(run, rows, [len(rows)])


def test_jokes(played):
    assert_file_is_answered(played["jokes"], "topics.csv")


def test_embeddings(played):
    assert_file_is_answered(played["embeddings"], "embedding_input.csv")
