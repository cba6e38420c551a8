"""The rules of docs/STYLE.md that a program can check. Each rule returns its findings in one file."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from source_text import Source

# Names that were given up for better ones. A type's name may be too common a word to ban altogether, so only its
# declaration counts; see `RETIRED_TYPES`.
RETIRED_IDENTIFIERS = """
    AsItIs AskedRows BrokenOffRuns GoOn NotSaid ObjectChunks PATIENCE WidenJob
    check_in_hand falls_back go_on may_fall_back take_run widen words_of
""".split()
RETIRED_TYPES = """
    Apart Asked Asking Asks Checked ChunkJob Endings Found JobCounts Kept Known Looked Made Rows Same Seen Standing Told
    Turn
""".split()
RETIRED_PHRASES = {
    "in passing": "transiently",
    "passing fault": "transient fault",
    "is no run's id": "is not a valid run id",
    "is no JSON": "is not valid JSON",
    "is not through": "has not finished",
    "and the input has no such": "which the input does not have",
    "nothing is said for": "no prompt is mapped to",
    "has the run in hand": "owns the run",
    "in the hands of": "owned by",
    "execution's hands": "owned by one execution",
    "what it came to": "the results",
}


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule."""

    path: str
    line: int
    excerpt: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.excerpt.strip()[:110]}"


def doc_opens_with_a_question(source: Source) -> Iterable[Finding]:
    return matches(source, first_lines(source), r"^(?:What|Whether|How|Where)\b")


def doc_opens_with_the_most(source: Source) -> Iterable[Finding]:
    return matches(source, first_lines(source), r"^The (?:most|longest)\b")


def errors_section_without_returns(source: Source) -> Iterable[Finding]:
    """An `# Errors` section says "Returns an error if …"."""
    if source.language != "rust":
        return
    for doc in source.docs:
        lines = list(doc.lines)
        for (_, heading), (line, text) in pairwise(lines):
            if heading.strip() == "# Errors" and not re.match(r"(?:Always )?[Rr]eturns\b", text):
                yield Finding(source.path, line, text)


def constant_of_the_most(source: Source) -> Iterable[Finding]:
    pattern = r"\b(?:(?:[A-Z]+_)*(?:MOST|LONGEST)_[A-Z_]+|(?:[A-Z]+_)*AT_ONCE)\b"
    return matches(source, code_lines(source), pattern)


def indefinite_person(source: Source) -> Iterable[Finding]:
    return matches(source, prose_lines(source), r"\b(?:[Nn]obody|[Ww]hoever|[Ss]omebody)\b")


def at_the_most(source: Source) -> Iterable[Finding]:
    return matches(source, prose_lines(source), r"\bat the (?:most|least)\b")


def request_called_ask(source: Source) -> Iterable[Finding]:
    return matches(source, comment_lines(source), r"\b[Aa]sk(?:s|ed|ing)?\b")


def report_called_tell(source: Source) -> Iterable[Finding]:
    return matches(source, comment_lines(source), r"\b(?:[Tt]ell(?:s|ing)?|[Tt]old)\b")


def is_no_noun(source: Source) -> Iterable[Finding]:
    """ "It is not a job", where "is no job" is meant; "is no longer" and "there is no" stay."""
    return matches(
        source,
        comment_lines(source),
        r"(?<![Tt]here )\bis no (?!longer\b|more\b|less\b|need\b|reason\b|way\b)[a-zA-Z`]",
    )


def retired_phrase(source: Source) -> Iterable[Finding]:
    # "There is no JSON in it" is what it says.
    pattern = "|".join(rf"(?<!there )\b{re.escape(phrase)}\b" for phrase in RETIRED_PHRASES)
    return matches(source, enumerate(source.text.split("\n"), 1), pattern)


def retired_identifier(source: Source) -> Iterable[Finding]:
    declared = rf"\b(?:struct|enum|trait|type|class|interface|mod)\s+(?:{'|'.join(RETIRED_TYPES)})\b"
    return matches(source, code_lines(source), rf"\b(?:{'|'.join(RETIRED_IDENTIFIERS)})\b|\bsay!|{declared}")


def log_message_is_no_event(source: Source) -> Iterable[Finding]:
    """The message of a tracing macro names an event, such as `job_submitted`."""
    if source.language != "rust":
        return
    for call in re.finditer(r"\b(?:tracing::)?(?:trace|debug|info|warn|error)!\s*\(", source.code):
        end = closing_parenthesis(source.code, call.end())
        # Strings are blanked in `code`: a message is the argument that has nothing else in it.
        for begin, finish in arguments(source.code, call.end(), end):
            argument = source.text[begin:finish].strip()
            is_message = argument.startswith('"') and not source.code[begin:finish].strip()
            if is_message and not re.fullmatch(r'"[a-z][a-z0-9]*(?:_[a-z0-9]+)+"', argument):
                yield Finding(
                    source.path, source.text.count("\n", 0, begin) + 1 + leading_lines(source, begin), argument
                )


def leading_lines(source: Source, begin: int) -> int:
    rest = source.text[begin:]
    return rest[: len(rest) - len(rest.lstrip())].count("\n")


def closing_parenthesis(code: str, begin: int) -> int:
    depth = 1
    for at in range(begin, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code)


def arguments(code: str, begin: int, end: int) -> Iterable[tuple[int, int]]:
    depth, start = 0, begin
    for at in range(begin, end):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(code[at], 0)
        if code[at] == "," and depth == 0:
            yield start, at
            start = at + 1
    yield start, end


def first_lines(source: Source) -> Iterable[tuple[int, str]]:
    for doc in source.docs:
        line, words = next(((line, words) for line, words in doc.lines if words.strip()), (doc.line, ""))
        yield line, words.strip()


def prose_lines(source: Source) -> Iterable[tuple[int, str]]:
    if source.language == "markdown":
        yield from enumerate(source.text.split("\n"), 1)
    yield from comment_lines(source)


def comment_lines(source: Source) -> Iterable[tuple[int, str]]:
    for comment in source.comments:
        yield from comment.lines


def code_lines(source: Source) -> Iterable[tuple[int, str]]:
    return enumerate(source.code.split("\n"), 1)


def matches(source: Source, lines: Iterable[tuple[int, str]], pattern: str) -> Iterable[Finding]:
    search = re.compile(pattern)
    text = source.text.split("\n")
    for line, words in lines:
        if search.search(words):
            yield Finding(source.path, line, text[line - 1])


RULES: dict[str, Callable[[Source], Iterable[Finding]]] = {
    rule.__name__: rule
    for rule in (
        doc_opens_with_a_question,
        doc_opens_with_the_most,
        errors_section_without_returns,
        constant_of_the_most,
        indefinite_person,
        at_the_most,
        request_called_ask,
        report_called_tell,
        is_no_noun,
        retired_phrase,
        retired_identifier,
        log_message_is_no_event,
    )
}
