"""Messages of the notification topic, read by a queue that is subscribed to it as people are by email."""

import json
import re
import threading
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from stack.waiting import wait_for

LINK = re.compile(r"^ +(?P<name>\S+): (?P<url>https?://\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Email:
    subject: str
    text: str

    @property
    def links(self) -> dict[str, str]:
        """The links by the name of their file."""
        return {found["name"]: found["url"] for found in LINK.finditer(self.text)}

    def value(self, label: str) -> str:
        """The text behind the first occurrence of a label at the beginning of a line."""
        found = re.search(rf"^ +{re.escape(label)} {{2,}}(\S.*)$", self.text, re.MULTILINE)
        assert found, f"no `{label}` in: {self.text}"
        return found[1]

    def section(self, title: str) -> str:
        """The lines from a title to the next empty line."""
        _, _, rest = self.text.partition(f"\n{title}\n")
        assert rest, f"no `{title}` in: {self.text}"
        return rest.partition("\n\n")[0]


class Mailbox:
    """All emails since its creation."""

    def __init__(self, stack):
        self._queue = stack.client("sqs")
        name = f"mailbox-{uuid.uuid4().hex[:8]}"
        self._url = self._queue.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._queue.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        topic = stack.environment["NOTIFICATION_TOPIC_ARN"]
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": attributes["QueueArn"],
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            },
        }
        self._queue.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps(policy)})
        stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._emails: list[Email] = []
        self._reading = threading.Lock()

    def about(self, name: str) -> Email:
        """Waits for the first email about this run, pipeline or upload, and returns it."""
        return wait_for(f"an email about {name}", lambda: self.all_about(name))[0]

    def all_about(self, name: str) -> list[Email]:
        """Returns the emails so far."""
        with self._reading:
            self._read()
        word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        return [email for email in self._emails if word.search(email.text)]

    def _read(self) -> None:
        while True:
            answer = self._queue.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            for message in messages:
                body = json.loads(message["Body"])
                self._emails.append(Email(body["Subject"], body["Message"]))
                self._queue.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            if not messages:
                return


def query_of(url: str) -> tuple[str, str]:
    """A URL without its query, and the token in that."""
    parts = urlsplit(url)
    name, _, token = parts.query.partition("=")
    assert name == "token", url
    return f"{parts.scheme}://{parts.netloc}{parts.path}", token
