"""What is said of a layout that is not as expected: the tree that should be beside what was found."""

import os

from segnet_hpu.errors import UsageError

DEPTH, PER_FOLDER, LINES = 4, 4, 40


class LayoutError(UsageError):
    """A data set's files are missing or lie elsewhere. The one error of several lines: the first says what is wrong."""


def layout_error(dataset, root, what):
    """Return the LayoutError: what is wrong, the expected tree, and what was found at `root`."""
    elsewhere = _elsewhere(dataset, root)
    hint = f"; it seems to lie in {elsewhere}: give that as --data_root" if elsewhere else ""
    return LayoutError("\n".join([
        f"--dataset {dataset.name}: {what}{hint}", "expected (* stands for any text):",
        *tree(root, dataset.expected_paths()), "found:", *tree(root, _found(root))]))


def tree(root, paths):
    """Return lines that draw the paths, relative to `root`, one level deeper in each folder."""
    lines, shown = [f"  {root}/"], set()
    for path in paths:
        parts = path.split("/")
        for depth, part in enumerate(parts):
            place = tuple(parts[:depth + 1])
            if part and place not in shown:
                shown.add(place)
                lines.append("  " * (depth + 2) + part + ("/" if depth + 1 < len(parts) else ""))
    return lines


def _found(root):
    """Paths below the root, a few of each folder."""
    if not os.path.isdir(root):
        return ["(no such folder)"]
    paths = []
    _list(root, "", DEPTH, paths)
    more = ["..."] if len(paths) > LINES else []
    return (paths[:LINES] + more) or ["(nothing)"]


def _list(root, folder, depth, paths):
    names = sorted(name for name in os.listdir(os.path.join(root, folder)) if not name.startswith("."))
    # Folders tell more about a layout than files do.
    names.sort(key=lambda name: not os.path.isdir(os.path.join(root, folder, name)))
    for name in names[:PER_FOLDER]:
        path = f"{folder}{name}"
        if not os.path.isdir(os.path.join(root, path)):
            paths.append(path)
            continue
        paths.append(f"{path}/")
        if depth > 1:
            _list(root, f"{path}/", depth - 1, paths)
    if len(names) > PER_FOLDER:
        paths.append(f"{folder}... ({len(names) - PER_FOLDER} more)")


def _elsewhere(dataset, root):
    """The folder near the root, one or two levels below it or right above, in which the data set's folders lie."""
    tops = {path.split("/")[0] for path in dataset.expected_paths()}
    if any("*" in top for top in tops) or not os.path.isdir(root):
        return None
    below = [os.path.join(root, name) for name in sorted(os.listdir(root))][:PER_FOLDER * 4]
    deeper = [os.path.join(folder, name) for folder in below if os.path.isdir(folder)
              for name in sorted(os.listdir(folder))[:PER_FOLDER * 4]]
    above = os.path.dirname(os.path.abspath(root))
    return next((place for place in [*below, *deeper, above]
                 if all(os.path.exists(os.path.join(place, top)) for top in tops)), None)
