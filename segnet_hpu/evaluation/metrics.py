"""Which scores are wanted beside the confusion matrix's, and of which class; nothing heavy is imported."""

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.objectives.names import METRICS


def parse_metrics(value):
    """a list of boundary, road"""
    names = [str(name).strip() for name in (value.split(",") if isinstance(value, str) else value)]
    for name in names:
        if name not in METRICS:
            raise ValueError(f"{name!r} is unknown.{nearest(name, METRICS)}")
    return list(dict.fromkeys(names))


def positive_id(metrics, wanted, names):
    """Return the id of the class that "road" scores, None where that is not among `metrics`.

    wanted: the class's name or id as text; None: 1 of two classes. names: of all classes.
    Raises UsageError where there is no such class, or where it is wanted for nothing.
    """
    if "road" not in (metrics or ()):
        if wanted is not None:
            raise UsageError(f"--positive_class {wanted} is for the scores of road; ask for them, or leave it out")
        return None
    if wanted is None and len(names) == 2:
        return 1
    ids = {str(i): i for i in range(len(names))} | {name: i for i, name in enumerate(names)}
    if wanted not in ids:
        hint = "" if wanted is None else nearest(wanted, ids)
        raise UsageError(f"--positive_class is {wanted or 'not set'}; expected the class that road scores against "
                         f"the rest, by name or id 0 to {len(names) - 1}.{hint}")
    return ids[wanted]
