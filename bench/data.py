"""Generates the data of the benchmarks; the same seed gives the same bytes.

    data.py rows    --rows 200000 --out rows.csv
    data.py answers 0000.jsonl 0001.jsonl … --out DIR
    data.py lists   0000.jsonl 0001.jsonl … --out DIR
    data.py images  --count 10000 --out DIR
    data.py texts   --count 100000 --out texts.jsonl

`rows` streams a CSV of about 280 bytes per row, quoted like real exports: commas, doubled quotes, non-ASCII letters, and
line breaks inside a field in about one row of ten. `answers` writes the .jsonl.out that Bedrock would return for each
chunk: lines in another order, modelInput echoed, an Anthropic answer of about 200 characters, and an error in one line of a
hundred. `lists` does the same for requests of several rows: a list with eight fields per element, in another order than the
rows; one row in a hundred is left out, and one list in a hundred is in a fence. `images` draws PNGs of noise of about 25 KB,
all of them different, as `00/00000.png` etc. `texts` writes answers of models that were prompted for five fields as JSON, in
the proportions of recorded answers: 58 of 100 continue in prose after the object; some are in a fence or follow an
introduction, have typographic quotes, or end at the token limit.
"""

import argparse
import json
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

FIRST_NAMES = (
    "Anna Ben Chloé David Elif Fernando Grażyna Hannah Ívar Jürgen Kaito Łukasz María Noël Özgür Priya".split()
)
LAST_NAMES = (
    "Andersson Brown Çelik Dubois Evans Fischer García Horváth Ito Jensen Kowalska Lefèvre Müller Novák".split()
)
COUNTRIES = "DE FR GB ES PL SE NL AT CH IE TR JP US CA NO NA".split()
CHANNELS = "email chat web phone marketplace".split()
SUBJECTS = [
    "Question about {thing}", "Problem with {thing}", "Return of {thing}", "Delivery, {thing}", "{thing}: warranty",
    'Re: "{thing}"', "Order with {thing}, second message", "Größe {thing}",
]  # fmt: skip
THINGS = (
    "tent poles|hiking boots|rain jacket|down jacket|sleeping bag|gas stove|head torch|trekking poles|day pack|"
    "climbing harness|water filter|insulated mat|merino socks|gaiters|dry bag|camping chair|thermos flask|bivy bag"
).split("|")
OPENINGS = (
    "I ordered the {thing} {when}|We used the {thing} {when}|My {thing} arrived {when}|I returned the {thing} {when}|"
    "The {thing} I bought {when} came without the spare parts|Somebody called me about the {thing} {when}|"
    "I picked the {thing} up in the shop {when}|Two of us tried the {thing} {when}"
).split("|")
TIMES = (
    "on Monday|last week|before our trip to Norway|in the first days of March|while it rained, of course|"
    "with the spring voucher|at the weekend|three weeks ago|for the Tour du Mont Blanc|near Zakopane"
).split("|")
MIDDLES = (
    "and the seam at the {part} is open|, but the {part} does not fit|and I am very happy with the {part}|"
    'and the label says "{part}", which is not what I chose|, only the {part} is missing|'
    "and the colour of the {part} differs from the picture|, yet nobody could tell me about the {part}|"
    "and the {part} held up better than I had hoped"
).split("|")
PARTS = "zip|left strap|buckle|inner sole|hood|groundsheet|valve|hip belt|battery cover|cuff|drawcord|lining".split("|")
ENDINGS = [
    "Could you please send a replacement, or tell me what to do?", "Thanks for the quick help!",
    "I would like my money back.", "Is there a size chart for it?", "Everything else was fine, as always.",
    "Please call me back after five o'clock.", 'The tracking page still shows "in transit".',
    "Können Sie mir bitte weiterhelfen?", "Merci d'avance pour votre réponse.", "I will recommend you to our club.",
    "It is a pity, because I liked it a lot.", "When will it be back in stock?",
]  # fmt: skip
ANSWER_WORDS = (
    "the customer writes about a parcel that came late and asks for a refund because their café trip, planned long ago, "
    'was "ruined" by rain while the support team stayed friendly and the naïve hope of a replacement grew'
).split(" ")
COLORS = "black|white|light blue|navy|neon green|brown|burgundy|beige and grey|dark wash blue|multicolor".split("|")
FITS = "skinny|slim|regular|relaxed|wide".split("|")
MATERIALS = "denim|cotton|chino|wool|linen|athletic|other".split("|")
PATTERNS = "solid|striped|plaid|printed|other".split("|")
STYLES = "casual|business|formal|athletic|other".split("|")
REMARKS = (
    "This appears to be {told}.|The image shows {told}.|These are {told}.|Note that the picture shows {told} [1]."
).split("|")
SEEN = [
    "They feature cargo pockets on the sides and drawstring details at the ankles, characteristic of military-inspired wear.",
    "The waistband has belt loops, a button and a zip, and the hem is rolled at the ankles.",
    "There are rips in the knee areas, which is typical of a casual street style.",
    "Small brass rivets (five in all) can be seen at the corners of the pockets.",
    "The fabric looks like a medium-weight weave with a slight sheen.",
]  # fmt: skip

TOPICS = "delivery return warranty product other".split()
MOODS = "pleased neutral annoyed".split()
ROW_ID = re.compile(rb'<ticket id=\\"(\d+)\\">')

FIRST_SECOND = datetime(2025, 1, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    rows = commands.add_parser("rows")
    rows.add_argument("--rows", required=True, type=int)
    rows.add_argument("--out", required=True, type=Path)
    rows.add_argument("--seed", default=1, type=int)
    answers = commands.add_parser("answers")
    answers.add_argument("chunks", nargs="+", type=Path)
    answers.add_argument("--out", required=True, type=Path)
    answers.add_argument("--seed", default=1, type=int)
    lists = commands.add_parser("lists")
    lists.add_argument("chunks", nargs="+", type=Path)
    lists.add_argument("--out", required=True, type=Path)
    lists.add_argument("--seed", default=1, type=int)
    images = commands.add_parser("images")
    images.add_argument("--count", required=True, type=int)
    images.add_argument("--out", required=True, type=Path)
    images.add_argument("--seed", default=1, type=int)
    texts = commands.add_parser("texts")
    texts.add_argument("--count", required=True, type=int)
    texts.add_argument("--out", required=True, type=Path)
    texts.add_argument("--seed", default=1, type=int)
    args = parser.parse_args()

    args.out.parent.mkdir(parents=True, exist_ok=True)
    if args.command == "rows":
        write_rows(args.out, args.rows, args.seed)
    elif args.command == "images":
        write_images(args.out, args.count, args.seed)
    elif args.command == "texts":
        write_texts(args.out, args.count, args.seed)
    else:
        args.out.mkdir(parents=True, exist_ok=True)
        for index, chunk in enumerate(args.chunks):
            make = list_answer if args.command == "lists" else answer
            write_answers(chunk, args.out / f"{chunk.name}.out", Random(f"{args.seed}/{index}"), make)


def write_rows(path: Path, count: int, seed: int) -> None:
    rng = Random(seed)
    beginnings = [sentence(rng) for _ in range(20_000)]
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    subjects = [csv_field(subject.format(thing=thing)) for subject in SUBJECTS for thing in THINGS]
    dice = Dice(rng)
    with path.open("w", encoding="utf-8", newline="", buffering=1 << 20) as file:
        file.write("id,created_at,channel,customer,country,subject,input_text\n")
        for number in range(count):
            dice.throw()
            line_break = dice.below(10) == 0
            sentences = [
                dice.pick(beginnings),
                f"Order {dice.below(10_000_000):07d}, part {dice.below(10_000)}.",
                dice.pick(beginnings if dice.below(2) else ENDINGS),
            ]
            if dice.below(5) < 2:
                sentences.append(dice.pick(ENDINGS))
            text = ("\n\n" if line_break else " ").join(sentences)
            created = FIRST_SECOND + timedelta(seconds=15 * number + dice.below(15))
            file.write(
                f"T-{number:08d},{created:%Y-%m-%dT%H:%M:%SZ},{dice.pick(CHANNELS)},{dice.pick(names)},"
                f"{dice.pick(COUNTRIES)},{dice.pick(subjects)},{csv_field(text)}\n"
            )


def sentence(rng: Random) -> str:
    opening = rng.choice(OPENINGS).format(thing=rng.choice(THINGS), when=rng.choice(TIMES))
    middle = rng.choice(MIDDLES).format(part=rng.choice(PARTS))
    return f"{opening}{'' if middle.startswith(',') else ' '}{middle}."


def csv_field(text: str) -> str:
    if any(mark in text for mark in ',"\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


class Dice:
    """Source of many small random numbers from one large one: a call to Random for each would take most of the time."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def throw(self) -> None:
        self._bits = self._rng.getrandbits(512)

    def below(self, limit: int) -> int:
        self._bits, value = divmod(self._bits, limit)
        return value

    def pick(self, pool: Sequence[str]) -> str:
        return pool[self.below(len(pool))]


def write_answers(chunk: Path, path: Path, rng: Random, make: Callable[[Random, bytes], str]) -> None:
    lines = chunk.read_bytes().splitlines()
    rng.shuffle(lines)
    # JSON contains no raw line breaks, so another member can be inserted before the `}` at the end of a line.
    with path.open("wb", buffering=1 << 20) as file:
        for line in lines:
            result = error() if rng.random() < 0.01 else make(rng, line)
            file.write(line.rstrip()[:-1] + b"," + result.encode() + b"}\n")


def answer(rng: Random, line: bytes) -> str:
    words = rng.choices(ANSWER_WORDS, k=37)
    words[12] += ","
    words[25] += ".\n\n"
    return output_of(rng, line, f"{' '.join(words).capitalize()}.")


def list_answer(rng: Random, line: bytes) -> str:
    ids = [int(number) for number in ROW_ID.findall(line) if rng.random() >= 0.01]
    rng.shuffle(ids)
    text = json.dumps([element(rng, number) for number in ids], ensure_ascii=False)
    return output_of(rng, line, f"```json\n{text}\n```" if rng.random() < 0.01 else text)


def element(rng: Random, number: int) -> dict[str, object]:
    return {
        "id": str(number),
        "topic": rng.choice(TOPICS),
        "urgency": rng.randrange(1, 6),
        "mood": rng.choice(MOODS),
        "language": "English",
        "product": rng.choice(THINGS),
        "refund_asked": rng.random() < 0.3,
        "summary": " ".join(rng.choices(ANSWER_WORDS, k=12)).capitalize() + ".",
        "confidence": round(rng.random(), 2),
    }


def output_of(rng: Random, line: bytes, text: str) -> str:
    output = {
        "id": f"msg_bdrk_{rng.getrandbits(96):024x}",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": len(line) // 4, "output_tokens": len(text) // 4},
    }
    return '"modelOutput":' + json.dumps(output, ensure_ascii=False, separators=(",", ":"))


def write_images(folder: Path, count: int, seed: int) -> None:
    for number in range(count):
        # Each image has its own seed: the first ones are the same for any count.
        path = folder / f"{number // 1000:02d}" / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(Random(f"{seed}/{number}")))


def png(rng: Random) -> bytes:
    """Draws noise in three colours, 22 to 28 KB, which does not compress."""
    width, height = 92, rng.randrange(80, 102)
    pixels = rng.randbytes(3 * width * height)
    lines = (b"\0" + pixels[at : at + 3 * width] for at in range(0, len(pixels), 3 * width))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"".join(lines), 1)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", data) + part(b"IEND", b"")


def part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_texts(path: Path, count: int, seed: int) -> None:
    rng = Random(seed)
    with path.open("w", encoding="utf-8", buffering=1 << 20) as file:
        for _ in range(count):
            text, stop_reason = clothing_answer(rng)
            file.write(json.dumps({"text": text, "stop_reason": stop_reason}, ensure_ascii=False) + "\n")


def clothing_answer(rng: Random) -> tuple[str, str]:
    color = rng.choice(COLORS)
    style, quotes = rng.choice(STYLES), rng.random()
    if quotes < 0.03:
        # Valid JSON: both quotes are typographic.
        style = f"{style}, “{rng.choice(STYLES)}”"
    fields = {
        "color": color, "fit": rng.choice(FITS), "material": rng.choice(MATERIALS), "pattern": rng.choice(PATTERNS),
        "style": style,
    }  # fmt: skip
    found = json.dumps(fields, indent=4, ensure_ascii=False)
    if quotes > 0.97:
        # Invalid JSON: a quotation that opens typographically is closed by the quote that ends strings.
        found = found.replace(f'"{color}"', f'"the „{color}" one"')
    around = rng.random()
    if around < 0.08:
        found = f"```json\n{found}\n```"
    elif around < 0.12:
        found = f"Here is the entry for the catalogue:\n\n{found}"
    if rng.random() < 0.58:
        seen = rng.choices(SEEN, k=rng.randrange(1, 4))
        told = f"a pair of {color} pants with a {fields['fit']} fit, made of {fields['material']}"
        found += f"\n\n{rng.choice(REMARKS).format(told=told)} {' '.join(seen)}"
    if rng.random() < 0.005:
        return found[: rng.randrange(10, found.index('"style"'))], "max_tokens"
    return found, "end_turn"


def error() -> str:
    problem = {"errorCode": 400, "errorMessage": "Bad request", "expired": False, "retryable": False}
    return '"error":' + json.dumps(problem, separators=(",", ":"))


if __name__ == "__main__":
    main()
