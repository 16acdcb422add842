"""The house's rules: who may import whom, what is imported late, and how long files and functions are."""

import ast
import statistics
from collections import Counter

import pytest

from imports import Import, circles, imports, loads, modules, path_of

# What each room may import, ground floor first. A room is a folder, or a file at the package's root.
GROUND_FLOOR = "constants errors lazy code_hash signature files progress options components fields flags config"
MAY_IMPORT = {
    "constants": "",
    "errors": "",
    "lazy": "",
    "code_hash": "",
    "signature": "errors",
    "files": "errors signature",
    "progress": "errors",
    "options": "errors",
    "components": "code_hash errors options",
    "fields": "errors options components",
    "flags": "errors options components fields",
    "config": "errors files signature options components fields flags",
    "samples": GROUND_FLOOR,
    "data": f"{GROUND_FLOOR} samples",  # never Keras
    "runtime": GROUND_FLOOR,
    # A TrainedModel has its classes' names and colours; roles follow a network's graph by Keras' privates.
    "models": f"{GROUND_FLOOR} data runtime",
    "objectives": GROUND_FLOOR,
    "keras_objects": "models objectives",  # what a user imports to open files of Keras'
    "evaluation": f"{GROUND_FLOOR} data runtime models",
    "interchange": f"{GROUND_FLOOR} data runtime models",
    "inference": f"{GROUND_FLOOR} samples data runtime models evaluation",
    "launch": f"{GROUND_FLOOR} runtime",  # never models
    "training": f"{GROUND_FLOOR} data runtime models objectives evaluation interchange inference launch",
    "search": f"{GROUND_FLOOR} data runtime models objectives evaluation interchange inference launch training",
}
MAY_IMPORT["compat"] = " ".join(MAY_IMPORT)
MAY_IMPORT["cli"] = " ".join(MAY_IMPORT)
MAY_IMPORT["__main__"] = "cli"
MAY_IMPORT["__init__"] = "compat " + MAY_IMPORT["compat"]

# keras_segmentation's paths: files that only show what compat/ holds.
DOORS = {
    *(f"segnet_hpu.{name}" for name in ("metrics", "model_compression", "predict", "pretrained", "train")),
    *(f"segnet_hpu.{name}" for name in ("data_utils", "data_utils.data_loader")),
    *(f"segnet_hpu.models.{name}" for name in ("all_models", "fcn", "model_utils", "pspnet", "segnet", "softmax",
                                               "unet")),
}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def upward(found: Import) -> bool:
    """Whether an import leaves its room for one that it may not know."""
    ours, theirs = room(found.importer), room(found.target)
    if found.target == "segnet_hpu":  # which is imported before any of its modules
        return False
    return found.target in DOORS or (ours != theirs and theirs not in MAY_IMPORT[ours].split())


def listed(found: list[Import]) -> str:
    return "\n".join(map(str, found))


def test_every_module_has_a_room():
    assert {room(module) for module in modules() if module not in DOORS} <= MAY_IMPORT.keys()


def test_a_room_may_only_know_those_below_it():
    below = []
    for ours, theirs in MAY_IMPORT.items():
        assert set(theirs.split()) <= set(below), ours
        below.append(ours)


def test_nothing_imports_upward():
    wrong = [found for found in imports() if found.ours and found.importer not in DOORS and upward(found)]
    assert not wrong, listed(wrong)


def test_no_modules_import_each_other():
    assert circles() == []


def test_data_never_loads_keras():
    assert not [module for module in modules() if room(module) in ("data", "samples") and "keras" in loads(module)]


@pytest.mark.parametrize("door", sorted(DOORS))
def test_doors_only_show_what_compat_holds(door):
    allowed = (ast.Expr, ast.ImportFrom, ast.Assign)
    assert all(isinstance(node, allowed) for node in modules()[door].body)
    assert not any(isinstance(node, (ast.Call, ast.Lambda)) for node in ast.walk(modules()[door]))
    assert {room(found.target) for found in imports() if found.importer == door} <= {"compat"}


def test_files_are_short():
    lengths = {module: len(path_of(module).read_text().splitlines()) for module in modules()}
    assert statistics.median(lengths.values()) < 90
    assert not {module: length for module, length in lengths.items() if length > 300}


def test_functions_are_short():
    lengths = Counter({f"{module}.{node.name}": node.end_lineno - node.lineno + 1
                       for module, tree in modules().items() for node in ast.walk(tree)
                       if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))})
    assert statistics.median(lengths.values()) < 10
    assert not {name: length for name, length in lengths.items() if length > 50}
