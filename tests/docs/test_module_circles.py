"""module_circles.py finds circles between modules, and finds none in this tree."""

from pathlib import Path

import pytest

from module_circles import Crate, report

REPOSITORY = Path(__file__).resolve().parents[2]


def test_no_modules_depend_on_each_other_in_a_circle():
    assert report(REPOSITORY) == []


def circles(folder: Path, files: dict[str, str]) -> list[set[str]]:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return [{"::".join(module) for module, _ in circle} for circle in Crate(folder).circles()]


@pytest.mark.parametrize(
    "uses",
    [
        "use crate::b::B; pub struct A(B);",
        "use super::b::B; pub struct A(B);",
        "use super::{c::C, b::{self, B as Other}}; pub struct A(Other);",
        "pub struct A(crate::b::B);",
        "use super::b; pub struct A(b::B);",
        # Through what the parent re-exports.
        "use super::B; pub struct A(B);",
        "use crate::B; pub struct A(B);",
    ],
)
def test_a_circle_is_found_however_items_are_named(tmp_path, uses):
    library = "mod a; mod b; mod c; pub use b::B;"
    files = {"lib.rs": library, "a.rs": uses, "b.rs": "use crate::a::A; pub struct B(Box<A>);", "c.rs": "pub struct C;"}
    assert circles(tmp_path, files) == [{"a", "b"}]


def test_a_circle_of_three_is_found(tmp_path):
    files = {
        "lib.rs": "mod a; mod b; mod c;",
        "a.rs": "use crate::b::b; pub fn a() { b() }",
        "b.rs": "use crate::c::c; pub fn b() { c() }",
        "c.rs": "use crate::a::a; pub fn c() { a() }",
    }
    assert circles(tmp_path, files) == [{"a", "b", "c"}]


def test_a_parent_that_names_items_of_its_child_and_is_named_by_it_is_in_a_circle(tmp_path):
    files = {
        "lib.rs": "mod a;",
        "a/mod.rs": "mod b; use b::B; pub struct A(B);",
        "a/b.rs": "use super::A; pub struct B(A);",
    }
    assert circles(tmp_path, files) == [{"a", "a::b"}]


@pytest.mark.parametrize(
    "child",
    [
        "use super::A; impl A { pub fn more(&self) {} }",
        "pub struct B;",
    ],
)
def test_a_parent_that_declares_and_re_exports_its_children_is_in_no_circle(tmp_path, child):
    files = {"lib.rs": "mod a; pub use a::A;", "a/mod.rs": "mod b; pub use b::B; pub struct A;", "a/b.rs": child}
    assert circles(tmp_path, files) == []


def test_tests_comments_and_texts_do_not_count(tmp_path):
    files = {
        "lib.rs": "mod a; mod b;",
        "a.rs": "use crate::b::B; pub struct A(B);\n#[cfg(test)]\nmod tests { use super::*; }",
        "b.rs": '// crate::a::A\npub struct B;\nconst T: &str = "crate::a::A";\n#[cfg(test)]\nmod tests {\n'
        "    use crate::a::A;\n    fn f() { let _ = '{'; }\n}\n",
    }
    assert circles(tmp_path, files) == []


def test_a_crate_of_the_same_name_as_an_item_is_no_module(tmp_path):
    files = {"lib.rs": "mod a;", "a.rs": "use bytes::{self, Bytes}; pub fn a(_: Bytes) { bytes::drop() }"}
    assert circles(tmp_path, files) == []
