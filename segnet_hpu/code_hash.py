"""A hash of code that a user wrote in Python, by which an edit is noticed."""

import ast
import hashlib
import inspect
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from functools import partial
from typing import Any


def code_hash(target: Any) -> str | None:
    """Return a hash of the source of a function, a class or an object's class, None where that cannot be read.

    What it uses of its own module belongs to it: functions, classes, and constants that are numbers or text; and what
    a function has of the function that made it. Comments and layout do not, nor does the code of installed packages.
    """
    try:
        found: dict[str, str] = {}
        _collect(target, found)
    except (OSError, TypeError, LookupError, SyntaxError):  # typed in, written in C, or a lambda within other code
        return None
    return hashlib.sha256(f"{sorted(found.items())}".encode()).hexdigest()[:12]


def written_by_user(target: Any) -> bool:
    """Return whether a function, a class or an object's class is neither of this package nor of an installed one."""
    module = _definition(target).__module__
    return not is_installed(module) and module != "builtins" and module.partition(".")[0] != "segnet_hpu"


def is_installed(module: str) -> bool:
    """Return whether a module lies with the installed packages, where nobody edits it."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return file.startswith(tuple(sysconfig.get_paths()[place] for place in ("purelib", "platlib", "stdlib")))


def _definition(target: Any) -> Any:
    """The function or class that a target is, or is an object of."""
    while isinstance(target, partial):
        target = target.func
    return target if inspect.isroutine(target) or isinstance(target, type) else type(target)


def _collect(target: Any, found: dict[str, str]) -> None:
    definition = _definition(target)
    name = f"{definition.__module__}.{definition.__qualname__}"
    if name in found:
        return
    found[name] = ""
    tree = ast.parse("")
    if written_by_user(definition):
        tree = ast.parse(textwrap.dedent(inspect.getsource(definition)))
        found[name] = ast.unparse(tree)
    for used, value in _used(definition, tree):
        if inspect.isfunction(value) or isinstance(value, type):
            _collect(value, found)
        elif isinstance(value, bool | int | float | str | tuple):
            found[f"{name}: {used}"] = repr(value)


def _used(definition: Any, tree: ast.Module) -> Iterator[tuple[str, Any]]:
    """Yield (name, value) of what a definition uses of its module, and of the function that made it."""
    known = vars(sys.modules[definition.__module__])
    for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(known):
        if getattr(known[name], "__module__", definition.__module__) == definition.__module__:
            yield name, known[name]
    if inspect.isfunction(definition):
        yield from inspect.getclosurevars(definition).nonlocals.items()
