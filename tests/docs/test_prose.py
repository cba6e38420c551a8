"""The whole tree follows docs/STYLE.md, as far as a program can check it."""

import pytest

from prose_rules import RULES, comment_lines, log_message_is_no_event
from source_text import Source, sources

# A small share is tolerated: people ask and tell, and a few comments are clearest with a question word.
MAX_PER_THOUSAND_DOCS = {"doc_opens_with_a_question": 10}
MAX_PER_THOUSAND_COMMENT_LINES = {"request_called_ask": 1, "report_called_tell": 1}

# These hold what the rules look for.
EXEMPT = {"docs/STYLE.md", "tests/docs/prose_rules.py", "tests/docs/test_prose.py"}
SOURCES = [source for source in sources() if source.path not in EXEMPT]


def tolerated(rule: str) -> int:
    docs = sum(len(source.docs) for source in SOURCES)
    lines = sum(len(list(comment_lines(source))) for source in SOURCES)
    share = MAX_PER_THOUSAND_DOCS.get(rule, 0) * docs + MAX_PER_THOUSAND_COMMENT_LINES.get(rule, 0) * lines
    return share // 1000


@pytest.mark.parametrize("rule", RULES)
def test_rule_has_no_more_findings_than_tolerated(rule):
    findings = [finding for source in SOURCES for finding in RULES[rule](source)]
    maximum = tolerated(rule)
    listed = "\n".join(f"{finding} [{rule}]" for finding in findings)
    message = f"{rule}: {len(findings)} findings, {maximum} tolerated; see docs/STYLE.md\n{listed}"
    assert len(findings) <= maximum, message


def test_tolerances_name_rules():
    assert {*MAX_PER_THOUSAND_DOCS, *MAX_PER_THOUSAND_COMMENT_LINES} <= set(RULES)


def test_all_languages_are_read():
    for language in ("rust", "typescript", "python", "markdown"):
        assert any(source.language == language for source in SOURCES), language


RUST = r"""
//! What a module has.
/// How long
/// it takes.
///
/// # Errors
/// As DynamoDB fails.
fn lifetime<'a>(quote: char) -> bool { quote == '"' } // nobody: "not a string"
/* whoever */ const MOST_JOBS: &str = "// no comment, MOST_TEXT";
const RAW: &str = r#"a "quoted" // MOST_RAW"#;
fn log() {
    tracing::info!(run_id, at = f("x, y"), "job_submitted");
    tracing::warn!(
        run_id,
        "a job was submitted"
    );
}
"""
TYPESCRIPT = """
/** Where it lies. */
const AT_ONCE = /[/"']/g; // at the most
const url = 'https://example.com'; const text = `AT_ONCE // nobody`;
"""
PYTHON = '''
"""What it does."""
MOST_ROWS = "MOST_TEXT # nobody"  # somebody
'''


@pytest.mark.parametrize(
    ("rule", "path", "text", "lines"),
    [
        ("doc_opens_with_a_question", "a.rs", RUST, [2, 3]),
        ("doc_opens_with_a_question", "a.ts", TYPESCRIPT, [2]),
        ("doc_opens_with_a_question", "a.py", PYTHON, [2]),
        ("doc_opens_with_the_most", "a.rs", "/// The most jobs.\n/// The jobs.", [1]),
        ("errors_section_without_returns", "a.rs", RUST, [7]),
        ("errors_section_without_returns", "a.rs", "/// # Errors\n/// Returns an error if it fails.", []),
        ("constant_of_the_most", "a.rs", RUST, [9]),
        ("constant_of_the_most", "a.ts", TYPESCRIPT, [3]),
        ("constant_of_the_most", "a.py", PYTHON, [3]),
        ("indefinite_person", "a.rs", RUST, [8, 9]),
        ("indefinite_person", "a.ts", TYPESCRIPT, []),
        ("indefinite_person", "a.py", PYTHON, [3]),
        ("indefinite_person", "a.md", "Anybody\nand nobody", [2]),
        ("at_the_most", "a.ts", TYPESCRIPT, [3]),
        ("at_the_most", "a.rs", "// at most one", []),
        ("request_called_ask", "a.rs", "// It asks Bedrock.\n// a mask\nlet asked = 1;", [1]),
        ("report_called_tell", "a.rs", "// A caller is told.\n// intelligent", [1]),
        (
            "is_no_noun",
            "a.rs",
            "// It is no job.\n// It is no longer one.\n// There is no job, if there is no row.",
            [1],
        ),
        ("retired_phrase", "a.rs", 'let text = "is no JSON";\n"there is no JSON"', [1]),
        ("retired_identifier", "a.rs", "struct Rows;\nlet x: Rows = go_on();\nsay!(x);\n// GoOn", [1, 2, 3]),
        ("log_message_is_no_event", "a.rs", RUST, [15]),
    ],
)
def test_a_rule_finds_its_lines(rule, path, text, lines):
    assert [finding.line for finding in RULES[rule](Source(path, text))] == lines


@pytest.mark.parametrize("message", ["done", "Job_submitted", "job submitted", "job-submitted"])
def test_an_event_has_a_subject_and_a_verb_in_snake_case(message):
    source = Source("a.rs", f'tracing::error!(name = "a b", "{message}")')
    assert len(list(log_message_is_no_event(source))) == 1
