"""Fast packaging of the functions as zips: CDK would compress the directories itself, but slowly and one after the other."""

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .contract import FUNCTIONS
from .settings import Settings

# The zips are only passed to another process on this machine, so speed matters and size does not.
COMPRESSION_LEVEL = 1
# A constant, so that the same bytes make the same zip: otherwise CDK would deploy unchanged functions.
TIMESTAMP = (1980, 1, 1, 0, 0, 0)


def package_functions(settings: Settings) -> Path:
    """Updates `<state>/functions/<name>.zip` from the built functions, and returns that directory."""
    directory = settings.state / "functions"
    directory.mkdir(exist_ok=True)
    with ThreadPoolExecutor() as pool:
        # zlib releases the interpreter's lock while it works, so the functions are compressed in parallel.
        list(pool.map(lambda name: package(settings.lambda_directory / name, directory / f"{name}.zip"), FUNCTIONS))
    return directory


def package(source: Path, target: Path) -> None:
    """Writes the zip of one directory, unless the existing one has the same content."""
    files = files_in(source)
    digest = digest_of(files, source)
    digest_file = target.with_suffix(".digest")
    if target.is_file() and digest_file.is_file() and digest_file.read_text() == digest:
        return
    digest_file.unlink(missing_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(str(file.relative_to(source)), TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if file.name == "bootstrap" else 0o644) << 16
            # An entry that is given as ZipInfo does not take the level of its archive.
            archive.writestr(entry, file.read_bytes(), compresslevel=COMPRESSION_LEVEL)
    digest_file.write_text(digest)


def files_in(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]


def digest_of(files: list[Path], base: Path) -> str:
    """Returns a digest of the names and contents of all files."""
    digest = hashlib.blake2b()
    for file in files:
        digest.update(f"{file.relative_to(base)}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "blake2b").digest())
    return digest.hexdigest()
