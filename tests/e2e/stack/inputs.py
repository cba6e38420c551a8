"""Rows for scenarios, and the files that hold them."""

import csv
import datetime as dt
import io
import zipfile
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

SUBJECTS = (
    "a cat",
    "ein Käsebrötchen",
    "жёлтый трамвай",
    "una siesta",
    "猫のカフェ",
    "the office plant",
    "pół litra żuru",
)


def topics(count: int, first: int = 0) -> list[str]:
    """Different topics."""
    return [f"{SUBJECTS[number % len(SUBJECTS)]}, number {number}" for number in range(first, first + count)]


def topic_table(count: int, first: int = 0) -> pa.Table:
    return pa.table({"topic": topics(count, first)})


def csv_text(table: pa.Table, line_end: str = "\n") -> bytes:
    """The table, all of texts, as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue().encode()


def parquet_bytes(table: pa.Table, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def texts_of_csv(data: bytes) -> pa.Table:
    """Returns a CSV as a table of its texts, unchanged."""
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(header)})


def workbook_bytes(sheets: dict[str, list[list[object]]]) -> bytes:
    """Returns a workbook of Excel with these sheets. Rows have texts, numbers, booleans, dates, or None."""
    shared: dict[str, int] = {}

    def cell(value: object) -> str:
        match value:
            case None:
                return "<c/>"
            case bool():
                return f'<c t="b"><v>{int(value)}</v></c>'
            case int() | float():
                return f"<c><v>{value!r}</v></c>"
            case dt.date():
                return f'<c s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
            case _:
                return f'<c t="s"><v>{shared.setdefault(str(value), len(shared))}</v></c>'

    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts, names, targets = {}, "", ""
    for number, (name, rows) in enumerate(sheets.items()):
        text = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet><sheetData>{text}</sheetData></worksheet>"
        names += f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
        targets += f'<Relationship Id="r{number}" Type="{office}/worksheet" Target="worksheets/sheet{number}.xml"/>'
    texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
    parts |= {
        "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns:r="{office}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{targets}</Relationships>",
        "xl/styles.xml": '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/sharedStrings.xml": f"<sst>{texts}</sst>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()
