"""Unchanged functions give unchanged zips."""

import os
import zipfile
import zlib

import pytest
from settings_for_tests import settings_in

from local_stack.contract import FUNCTIONS
from local_stack.packages import package_functions


@pytest.fixture
def settings(tmp_path):
    settings = settings_in(tmp_path)
    for name in FUNCTIONS:
        (settings.lambda_directory / name).mkdir(parents=True)
        (settings.lambda_directory / name / "bootstrap").write_bytes(name.encode() * 1000)
    templates = settings.lambda_directory / "preprocess" / "prompt-templates"
    templates.mkdir()
    (templates / "joke.toml").write_text("description = 'x'")
    return settings


def zips(settings):
    return {name: (settings.state / "functions" / f"{name}.zip").read_bytes() for name in FUNCTIONS}


def test_a_zip_contains_the_directory_with_an_executable_bootstrap(settings):
    package_functions(settings)
    with zipfile.ZipFile(settings.state / "functions" / "preprocess.zip") as archive:
        assert archive.namelist() == ["bootstrap", "prompt-templates/joke.toml"]
        assert archive.getinfo("bootstrap").external_attr >> 16 == 0o755
        assert archive.read("bootstrap") == b"preprocess" * 1000


def test_zips_are_compressed_as_fast_as_possible(settings):
    package_functions(settings)
    data = b"submit" * 1000
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
    with zipfile.ZipFile(settings.state / "functions" / "submit.zip") as archive:
        size = archive.getinfo("bootstrap").compress_size
    assert size == len(compressor.compress(data) + compressor.flush())
    slow = zlib.compressobj(6, zlib.DEFLATED, -15)
    assert size != len(slow.compress(data) + slow.flush()), "the default"


def test_the_same_bytes_make_the_same_zip(settings):
    package_functions(settings)
    before = zips(settings)
    for name in FUNCTIONS:
        os.utime(settings.lambda_directory / name / "bootstrap", (1, 1))
        (settings.state / "functions" / f"{name}.digest").unlink()
    package_functions(settings)
    assert zips(settings) == before


def test_a_changed_function_changes_only_its_own_zip(settings):
    package_functions(settings)
    before = zips(settings)
    (settings.lambda_directory / "submit" / "bootstrap").write_bytes(b"new")
    package_functions(settings)
    after = zips(settings)
    assert [name for name in FUNCTIONS if after[name] != before[name]] == ["submit"]
