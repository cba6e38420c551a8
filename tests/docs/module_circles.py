"""Finds modules of a crate that depend on each other in a circle.

    python3 tests/docs/module_circles.py [root of the repository]

The rule: within a crate, module A depends on module B if A's code names an item that B defines, through whatever
re-exports. That includes an item of a parent that a child names, and the other way round. A parent that only declares
its children (`mod b;`) or re-exports their items (`pub use b::Item;`) does not depend on them. Tests do not count:
neither `#[cfg(test)]` modules nor the folders `tests/`.

Method calls carry no path, so a module that only extends a type of another one (`impl Type` in a file of its own) is
not a dependency of that type's module.
"""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

Module = tuple[str, ...]

COMMENTS_AND_TEXTS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<hashes>\#*)".*?"(?P=hashes)|b?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\\n])'""",
    re.DOTALL,
)
TEST_ITEM = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*")
DEFINITION = re.compile(r"\b(?:struct|enum|union|trait|type|const|static|fn|macro_rules!)\s+(?:mut\s+)?([A-Za-z_]\w*)")
CHILD = re.compile(r"\bmod\s+(\w+)\s*;")
USE = re.compile(r"(?P<pub>\bpub(?:\([^)]*\))?\s+)?\buse\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:])(?:\w+::)+\w+")


@dataclass
class Source:
    """One file, without its tests, comments and texts."""

    code: str
    # Code without `use` items.
    body: str = ""
    children: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    # By the name that it brings into scope: the path, and whether others may use it from here.
    imported: dict[str, tuple[Module, bool]] = field(default_factory=dict)
    # Paths of glob imports.
    globs: list[Module] = field(default_factory=list)


def without_tests(code: str) -> str:
    while found := TEST_ITEM.search(code):
        end = found.end()
        if code[end : end + 1] == "{":
            depth = 0
            for end in range(found.end(), len(code)):
                depth += {"{": 1, "}": -1}.get(code[end], 0)
                if depth == 0:
                    break
        code = code[: found.start()] + code[end + 1 :]
    return code


def leaves(tree: str, before: Module = ()) -> list[tuple[Module, str]]:
    """The paths of a `use` tree, each with the name that it brings into scope."""
    tree = tree.strip()
    if "{" not in tree:
        path, _, alias = tree.partition(" as ")
        parts = before + tuple(part.strip() for part in path.split("::") if part.strip())
        if parts[-1] == "self":
            parts = parts[:-1]
        return [(parts, alias.strip() or parts[-1])]
    head, rest = tree.split("{", 1)
    inner = rest.rsplit("}", 1)[0]
    before += tuple(part.strip() for part in head.split("::") if part.strip())
    found, depth, begin = [], 0, 0
    for at, char in enumerate(inner + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            if inner[begin:at].strip():
                found += leaves(inner[begin:at], before)
            begin = at + 1
    return found


def read(text: str) -> Source:
    source = Source(without_tests(COMMENTS_AND_TEXTS.sub(" ", text)))
    source.children = set(CHILD.findall(source.code))
    for use in USE.finditer(source.code):
        for path, name in leaves(use["tree"]):
            if path[-1] == "*":
                source.globs.append(path[:-1])
            else:
                source.imported[name] = (path, use["pub"] is not None)
    source.body = USE.sub(" ", source.code)
    source.defined = set(DEFINITION.findall(source.body))
    return source


def modules_of(folder: Path) -> dict[Module, Source]:
    modules = {}
    for file in sorted(folder.rglob("*.rs")):
        parts = file.relative_to(folder).with_suffix("").parts
        if parts == ("main",) and (folder / "lib.rs").exists():
            # A crate of its own, on top of the library.
            continue
        if parts[-1] in ("mod", "lib", "main"):
            parts = parts[:-1]
        elif parts[-1] == "tests":
            continue
        modules[parts] = read(file.read_text())
    return modules


class Crate:
    def __init__(self, folder: Path):
        self.modules = modules_of(folder)

    def defining(self, here: Module, path: Module, seen: frozenset = frozenset()) -> Module | None:
        """The module that defines what `path` names in `here`; none if that is another crate's."""
        if (here, path) in seen or not path:
            return None
        seen |= {(here, path)}
        first, rest = path[0], path[1:]
        if first == "crate":
            return self.within((), rest, seen)
        if first == "self":
            return self.within(here, rest, seen)
        if first == "super":
            return (
                self.within(here[:-1], rest, seen) if rest[:1] != ("super",) else self.defining(here[:-1], rest, seen)
            )
        source = self.modules[here]
        if first in source.children or (rest and first in source.imported):
            return self.within(here, path, seen)
        return None

    def within(self, module: Module, path: Module, seen: frozenset) -> Module | None:
        """The same for a path that begins in `module`."""
        if module not in self.modules:
            return None
        if not path:
            return module
        source, first = self.modules[module], path[0]
        if first in source.children:
            return self.within((*module, first), path[1:], seen)
        if first in source.imported and first not in source.defined:
            target = source.imported[first][0]
            # `use bytes::{self, Bytes}`: a crate, under its own name.
            return None if target[0] == first else self.defining(module, target + path[1:], seen)
        if first not in source.defined:
            for glob in source.globs:
                origin = self.defining(module, glob, seen)
                if origin is not None and first in self.modules[origin].defined:
                    return origin
        return module

    def dependencies(self) -> dict[Module, dict[Module, str]]:
        """For each module, those whose items it names, with one such item."""
        edges: dict[Module, dict[Module, str]] = defaultdict(dict)
        for here, source in self.modules.items():
            paths = [tuple(found.group().split("::")) for found in PATH.finditer(source.body)]
            for name, (path, is_public) in source.imported.items():
                if not is_public or re.search(rf"\b{name}\b", source.body):
                    paths.append(path)
            paths += source.globs
            for path in paths:
                target = self.defining(here, path)
                if target is not None and target != here:
                    edges[here].setdefault(target, path[-1])
        return edges

    def circles(self) -> list[list[tuple[Module, str]]]:
        """One circle for each group of modules that depend on each other: each with what it names of the next."""
        edges = self.dependencies()
        found, done = [], set()
        for start in sorted(self.modules):
            if start in done:
                continue
            way = shortest_way_back(edges, start)
            if way:
                done |= {module for module in edges if back(edges, start, module)}
                pairs = zip(way, way[1:] + way[:1], strict=True)
                found.append([(module, edges[module][after]) for module, after in pairs])
        return found


def shortest_way_back(edges, start: Module) -> list[Module]:
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop(0)
        for after in sorted(edges.get(way[-1], ())):
            if after == start:
                return way
            if after not in seen:
                seen.add(after)
                ways.append([*way, after])
    return []


def reachable(edges, start: Module) -> set[Module]:
    seen, left = set(), [start]
    while left:
        for after in edges.get(left.pop(), ()):
            if after not in seen:
                seen.add(after)
                left.append(after)
    return seen


def back(edges, one: Module, other: Module) -> bool:
    return other in reachable(edges, one) and one in reachable(edges, other)


def report(root: Path) -> list[str]:
    lines = []
    for folder in sorted([*root.glob("crates/*/src"), *root.glob("lambdas/*/src"), *root.glob("bench/src")]):
        for circle in Crate(folder).circles():
            names = ["::".join(("crate", *module)) for module, _ in circle]
            after = names[1:] + names[:1]
            steps = [
                f"{name} names `{item}` of {other}" for name, (_, item), other in zip(names, circle, after, strict=True)
            ]
            lines.append(f"{folder.parent.relative_to(root)}: " + "; ".join(steps))
    return lines


if __name__ == "__main__":
    problems = report(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2])
    for problem in problems:
        print(f"circle of modules in {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)
