"""Splits the source files of the repository into code, string literals, comments and documentation."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTABLE = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
LANGUAGES = {".rs": "rust", ".ts": "typescript", ".py": "python", ".md": "markdown"}

# Alternatives are tried in this order at each position, so a quote inside a comment opens no string and vice versa.
RUST = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r'|(?P<string>b?r(?P<hashes>#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*")'
    r"|(?P<character>b?'(?:\\u\{[^}]*\}|\\x..|\\.|[^\\'\n])')",
    re.DOTALL,
)
TYPESCRIPT = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\])*`)'
    r"|(?P<character>(?<=[(,=:\[!&|?{};\s])/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Text:
    """A piece of a file: its first line, counted from 1, and its words without comment markers."""

    line: int
    words: str

    @property
    def lines(self) -> Iterable[tuple[int, str]]:
        return enumerate(self.words.split("\n"), self.line)


@dataclass(frozen=True)
class Source:
    """One file, by its path from the root of the repository."""

    path: str
    text: str

    @property
    def language(self) -> str:
        if self.text.startswith("#!") and "python" in self.text.split("\n", 1)[0]:
            return "python"
        return LANGUAGES.get(Path(self.path).suffix, "other")

    @property
    def comments(self) -> list[Text]:
        """All comments, documentation included."""
        return self.split[0]

    @property
    def docs(self) -> list[Text]:
        """Documentation comments and docstrings, one per documented item."""
        return self.split[1]

    @property
    def code(self) -> str:
        """The text with comments, strings and documentation blanked out, line by line in place."""
        return self.split[2]

    @cached_property
    def split(self) -> tuple[list[Text], list[Text], str]:
        if self.language == "rust":
            return split_by(RUST, self.text, is_rust_doc)
        if self.language == "typescript":
            return split_by(TYPESCRIPT, self.text, lambda comment: comment.startswith("/**"))
        if self.language == "python":
            return split_python(self.text)
        return [], [], ""


def is_rust_doc(comment: str) -> bool:
    return comment.startswith(("///", "//!", "/**", "/*!")) and not comment.startswith("////")


def split_by(pattern: re.Pattern[str], text: str, is_doc) -> tuple[list[Text], list[Text], str]:
    comments: list[Text] = []
    docs: list[Text] = []
    code = []
    end = 0
    marker = ""
    for match in pattern.finditer(text):
        between = text[end : match.start()]
        code += [between, blanked(match.group())]
        end = match.end()
        comment = match.group("comment")
        if comment is None:
            continue
        words = Text(text.count("\n", 0, match.start()) + 1, without_markers(comment))
        comments.append(words)
        if not is_doc(comment):
            continue
        # Lines of one block have the same marker and nothing between them.
        if (
            docs
            and comment.startswith("//")
            and comment[:3] == marker
            and between.count("\n") == 1
            and not between.strip()
        ):
            docs[-1] = Text(docs[-1].line, f"{docs[-1].words}\n{words.words}")
        else:
            docs.append(words)
        marker = comment[:3]
    code.append(text[end:])
    return comments, docs, "".join(code)


def split_python(text: str) -> tuple[list[Text], list[Text], str]:
    code = text.split("\n")
    comments = []
    docs = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTABLE) and ast.get_docstring(node) is not None:
            docs.append(Text(node.body[0].lineno, ast.get_docstring(node, clean=False) or ""))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (line, column), (last, last_column) = token.start, token.end
        if token.type == tokenize.COMMENT:
            comments.append(Text(line, token.string.lstrip("#").strip()))
        elif token.type not in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)):
            continue
        for number in range(line - 1, last):
            begin = column if number == line - 1 else 0
            end = last_column if number == last - 1 else len(code[number])
            code[number] = code[number][:begin] + " " * (end - begin) + code[number][end:]
    return comments + docs, docs, "\n".join(code)


def without_markers(comment: str) -> str:
    if comment.startswith("//"):
        return re.sub(r"^//[/!]? ?", "", comment).rstrip()
    inner = re.sub(r"^/\*[*!]?|\*/$", "", comment)
    return "\n".join(re.sub(r"^\s*\* ?", "", line).strip() for line in inner.split("\n"))


def blanked(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def sources() -> list[Source]:
    """All text files of the repository in the languages above, and Python programs without an ending."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    found = []
    for path in listed.stdout.splitlines():
        file = REPOSITORY / path
        if file.suffix not in {*LANGUAGES, ""} or not file.is_file():
            continue
        source = Source(path, file.read_text(encoding="utf-8", errors="replace"))
        if source.language != "other":
            found.append(source)
    return found
