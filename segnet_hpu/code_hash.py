"""A hash of code that a user wrote in Python, by which an edit is noticed."""

import ast
import hashlib
import inspect
import sys
import textwrap
from functools import partial
from typing import Any


def code_hash(target: Any) -> str | None:
    """Return a hash of the source of a function, a class or an object's class, None where that cannot be read.

    What it uses of its own module belongs to it: functions, classes, and constants that are numbers or text. Comments
    and layout do not.
    """
    try:
        found: dict[str, str] = {}
        _collect(target, found)
    except (OSError, TypeError, LookupError, SyntaxError):  # typed in, written in C, or a lambda within other code
        return None
    return hashlib.sha256(f"{sorted(found.items())}".encode()).hexdigest()[:12]


def _collect(target: Any, found: dict[str, str]) -> None:
    while isinstance(target, partial):
        target = target.func
    target = target if inspect.isroutine(target) or isinstance(target, type) else type(target)
    if target.__qualname__ in found:
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(target)))
    found[target.__qualname__] = ast.unparse(tree)
    known = vars(sys.modules[target.__module__])
    for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(known):
        value = known[name]
        if inspect.isfunction(value) or isinstance(value, type):
            if value.__module__ == target.__module__:
                _collect(value, found)
        elif isinstance(value, bool | int | float | str | tuple):
            found[name] = repr(value)
