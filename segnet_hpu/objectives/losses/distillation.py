"""How far a student is from its teacher. Each takes (teacher, student), (B, h, w, C), and returns a scalar."""

from collections.abc import Callable
from typing import Any

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.lazy import ops

LARGEST_GRID = 32  # nodes a side: all pairs of the pixels of a map are too many


def l1(teacher: Any, student: Any) -> Any:
    """Mean absolute difference."""
    return ops.mean(ops.abs(teacher - student))


def l2(teacher: Any, student: Any) -> Any:
    """Mean squared difference."""
    return ops.mean(ops.square(teacher - student))


def kl(teacher: Any, student: Any) -> Any:
    """Mean over pixels of the Kullback-Leibler divergence of the student's softmax from the teacher's."""
    teacher, student = ops.clip(teacher, 1e-7, 1.0), ops.clip(student, 1e-7, 1.0)
    return ops.mean(ops.sum(teacher * ops.log(teacher / student), axis=-1))


def pairwise(teacher: Any, student: Any) -> Any:
    """Mean squared difference of the cosine similarities of all pairs of pixels (Liu et al., arXiv 1903.04197).

    Both have one height and width, their channels may differ. Large maps are pooled first, to at most 32 x 32.
    """
    return ops.mean(ops.square(_similarities(teacher) - _similarities(student)))


def _similarities(x: Any) -> Any:
    step = -(-max(x.shape[1:3]) // LARGEST_GRID)
    if step > 1:
        x = ops.average_pool(x, step, step, padding="same")
    nodes = ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3]))
    nodes = nodes / ops.sqrt(ops.sum(ops.square(nodes), axis=-1, keepdims=True) + 1e-12)
    return ops.matmul(nodes, ops.transpose(nodes, (0, 2, 1)))


# By keras_segmentation's names.
DISTILLATION: dict[Any, Callable[[Any, Any], Any]] = {"l1": l1, "l2": l2, "kl": kl, "pa": pairwise}


def distillation_loss(name: str | Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return function (teacher, student) -> scalar float32 of "l1", "l2", "kl" or "pa", or a function as it is.

    Raises UsageError for another name.
    """
    if not callable(name) and name not in DISTILLATION:
        raise UsageError(f"distillation loss {name!r}; expected one of {', '.join(DISTILLATION)}."
                         f"{nearest(name, DISTILLATION)}")
    function = name if callable(name) else DISTILLATION[name]

    def loss(teacher: Any, student: Any) -> Any:
        return function(ops.cast(teacher, "float32"), ops.cast(student, "float32"))
    return loss
