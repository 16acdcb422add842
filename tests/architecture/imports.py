"""Who imports whom in the package, read from the source without importing anything."""

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "segnet_hpu"


class Import(NamedTuple):
    """One import: of `target`, a module of ours or the top name of another package."""

    importer: str
    target: str
    line: int
    lazy: bool  # within a function
    typing_only: bool  # under `if TYPE_CHECKING:`

    @property
    def ours(self) -> bool:
        return self.target.split(".")[0] == PACKAGE

    def __str__(self) -> str:
        return f"{path_of(self.importer).relative_to(ROOT)}:{self.line} imports {self.target}"


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Return {dotted name: tree} of every module of the package."""
    files = sorted((ROOT / PACKAGE).rglob("*.py"))
    return {_dotted(file): ast.parse(file.read_text()) for file in files}


def path_of(module: str) -> Path:
    """Return the file of a dotted name."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def imports() -> list[Import]:
    """Return every import of the package, wherever it stands in a file."""
    return [found for module, tree in modules().items() for found in _imports(module, tree.body, False, False)]


@functools.cache
def loads(module: str) -> frozenset[str]:
    """Return the third-party packages that importing a module loads, directly or through modules of ours."""
    seen, waiting, packages = set(), [module], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        packages |= {found.target for found in _at_import(current) if not found.ours}
        waiting += [found.target for found in _at_import(current) if found.ours]
        waiting += [current.rpartition(".")[0]] if "." in current else []  # a module's packages are imported first
    return frozenset(packages - sys.stdlib_module_names)


def circles() -> list[list[str]]:
    """Return the groups of modules that import each other, lazily or not (strongly connected components)."""
    arrows: dict[str, set[str]] = {module: set() for module in modules()}
    for found in imports():
        if found.ours and not found.typing_only:
            arrows[found.importer].add(found.target)
    reached = {module: _reach(module, arrows) for module in arrows}
    groups = {frozenset(m for m in reached[module] if module in reached[m]) for module in arrows}
    return sorted(sorted(group) for group in groups if group)


def _reach(module: str, arrows: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [*arrows[module]]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += arrows[current]
    return seen


@functools.cache
def _at_import(module: str) -> list[Import]:
    return [found for found in imports() if found.importer == module and not (found.lazy or found.typing_only)]


def _imports(module: str, body: list[ast.stmt], lazy: bool, typing_only: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for target in _targets(node):
                yield Import(module, target, node.lineno, lazy, typing_only)
            continue
        inside = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        typed = typing_only or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _imports(module, getattr(node, part, []), inside, typed and part == "body")


def _targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    else:
        assert not node.level and node.module, "the package imports by full names"
        whole = [f"{node.module}.{alias.name}" for alias in node.names]
        names = [name if name in modules() else node.module for name in whole]
    return sorted({name if name.split(".")[0] == PACKAGE else name.split(".")[0] for name in names})


def _dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
