"""What all losses share: sparse labels with void pixels in, one number per image out."""

import functools
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.errors import UsageError, users_code
from segnet_hpu.lazy import keras, ops


def parse_class_weights(value: Any) -> str | list[float]:
    """none, median_frequency, or one number a class such as 0.5,1,2"""
    if value == "median_frequency":
        return value
    weights = [float(w) for w in (value.split(",") if isinstance(value, str) else value)]
    for i, weight in enumerate(weights):
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"class weight {i} is {weight:g}; weights are finite and not negative")
    return weights


Weights = list | str | None  # a text is refused before anything is computed
ClassWeights = Annotated[Weights, Option(
    "none, median_frequency, or numbers a,b,c, one a class", parse=parse_class_weights, alias="class_weights")]


@dataclass(eq=False, kw_only=True)
class SegmentationLoss:
    """A loss over sparse labels and logits, reduced to one number per image.

    labels: integers (B, h, w). Pixels that are `ignore_label`, or no class 0..C-1, count for nothing.
    logits: (B, h, w, C) of any float type; computed in float32 always.

    `call` returns float32 (B,): each image divides by its own number of valid pixels (or classes), and
    is 0 without any. Calling the loss returns the mean over the images, the mean over equal shares of a batch,
    whether they lie on several ranks or in accumulated micro-batches.

    Subclasses are dataclasses whose fields are the options, and implement `per_image(target, logits)` with target
    float32 (B, h, w, C), one-hot and all zeros at void pixels. Raises UsageError if labels and logits do not fit.
    Keras takes one as a loss of `compile`, and saves it.
    """

    ignore_label: int = 255

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if "keras" in sys.modules:  # which nothing here may import only to be told
            cls.register()

    @classmethod
    def register(cls) -> None:
        """Let Keras find the class when it loads a compiled model; as its author did, where that was done."""
        if keras.saving.get_registered_name(cls) == cls.__name__:
            keras.saving.register_keras_serializable("segnet_hpu")(cls)

    @classmethod
    def register_all(cls) -> None:
        """Register the class and all that are derived from it."""
        cls.register()
        for derived in cls.__subclasses__():
            derived.register_all()

    def __post_init__(self) -> None:
        if getattr(self, "class_weights", None) == "median_frequency":
            raise UsageError("class weights median_frequency are counted on the labels; give one number for every "
                             "class")

    def __call__(self, labels: Any, logits: Any, sample_weight: Any = None) -> Any:
        values = self.call(labels, logits)
        if sample_weight is not None:
            values = values * ops.cast(sample_weight, values.dtype)
        return ops.divide_no_nan(ops.sum(values), ops.cast(ops.shape(values)[0], values.dtype))

    def call(self, labels: Any, logits: Any) -> Any:
        """Return the loss of each image, float32 (B,)."""
        logits = ops.cast(logits, "float32")
        labels = ops.cast(labels, "int32")
        _check_shapes(labels.shape, logits.shape)
        return self.per_image(one_hot(labels, logits.shape[-1], self.ignore_label), logits)

    def per_image(self, target: Any, logits: Any) -> Any:
        """Return the loss of each image, float32 (B,), from a one-hot target and logits, both float32."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the options by name, as Keras asks for them when it saves a compiled model."""
        self.register()
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "SegmentationLoss":
        """Return the loss of a config, as Keras asks for it when it loads a compiled model."""
        return cls(**config)


@dataclass(eq=False, kw_only=True)
class OwnLoss(SegmentationLoss):
    """A loss of the user's own: a Keras loss, or a function (labels, logits) -> a number, (B,) or (B, h, w).

    It gets labels int32 (B, h, w) as they are, 255 at void pixels (for Keras, ignore_class=255), and logits float32
    (B, h, w, C). What it returns is averaged over all but the images. A function with a parameter from_logits gets
    True. Raises UsageError for a Keras loss that was made for probabilities.
    """

    function: Callable[[Any, Any], Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        config = self.function.get_config() if hasattr(self.function, "get_config") else {}
        if config.get("from_logits") is False:
            raise UsageError(f"--loss {type(self.function).__name__} was made with from_logits=False, for "
                             "probabilities; networks give logits: make it with from_logits=True, or give the class")

    def try_out(self, size: Sequence[int], n_classes: int) -> None:
        """Compute it once, on images of this size. Raises UsageError where that fails."""
        function = getattr(self.function, "func", self.function)  # of a partial one
        name = getattr(function, "__name__", type(function).__name__)
        with users_code(f"--loss {name}", "a function (labels, logits) -> a number, (B,) or (B, h, w)"):
            self.call(ops.zeros((2, *size), "int32"), ops.zeros((2, *size, n_classes), "float32"))

    def call(self, labels: Any, logits: Any) -> Any:
        """Return the loss of each image, float32 (B,)."""
        compute = self.function.call if hasattr(self.function, "call") else self.function
        if _is_open(compute, "from_logits"):
            compute = functools.partial(compute, **{"from_logits": True})
        labels, logits = ops.cast(labels, "int32"), ops.cast(logits, "float32")
        values = ops.cast(compute(labels, logits), "float32")
        if len(values.shape) > 1:
            values = ops.mean(values, tuple(range(1, len(values.shape))))
        return ops.broadcast_to(values, (ops.shape(labels)[0],))

    def get_config(self) -> dict[str, Any]:
        """Return the options by name; of a partial function, which Keras does not save, what it was made of."""
        config = super().get_config()
        if isinstance(self.function, functools.partial):
            config |= {"function": self.function.func, "args": list(self.function.args),
                       "keywords": self.function.keywords}
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "OwnLoss":
        """Return the loss of a config, whose function Keras has described too."""
        own = {name: value if callable(value) else keras.saving.deserialize_keras_object(value)
               for name, value in config.items()}
        if "keywords" in own:
            own["function"] = functools.partial(own["function"], *own.pop("args"), **own.pop("keywords"))
        return cls(**own)


def _is_open(function: Callable[..., Any], parameter: str) -> bool:
    """Whether it is a function with this parameter, partial or not, that says nothing of it yet."""
    return ((isinstance(function, functools.partial) or inspect.isfunction(function))
            and parameter in inspect.signature(function).parameters
            and parameter not in getattr(function, "keywords", {}))


def one_hot(labels: Any, n_classes: int, ignore_label: int) -> Any:
    """Return float32 (B, h, w, C) from int32 labels (B, h, w); void pixels are all zeros.

    Compared in int32: `ops.one_hot` computes in int64, which Gaudi lacks. Gathering by label instead
    is slower on the CPU, 5.0 against 3.9 ms for a loss and its gradient at (2, 160, 320, 12).
    """
    classes = ops.arange(n_classes, dtype="int32")
    hits = ops.logical_and(ops.equal(ops.expand_dims(labels, -1), classes),
                           ops.not_equal(classes, ignore_label))
    return ops.cast(hits, "float32")


def mean_over_valid(pixel_losses: Any, target: Any) -> Any:
    """Return (B,): the sum of float32 (B, h, w) over the number of labelled pixels, at least 1."""
    return ops.sum(pixel_losses, (1, 2)) / ops.maximum(ops.sum(target, (1, 2, 3)), 1.0)


def pixel_weights(target: Any, weights: Weights) -> Any:
    """Return (B, h, w): the weight of each pixel's class (1 without weights), 0 at void pixels."""
    if weights is None:
        return ops.sum(target, -1)
    check_number(weights, target)
    return ops.sum(target * ops.convert_to_tensor(weights, "float32"), -1)


def class_mean(losses: Any, target: Any, weights: Weights = None) -> Any:
    """Return (B,): the (weighted) mean of (B, C) over the classes that each image's label has; 0 without any."""
    present = ops.cast(ops.sum(target, (1, 2)) > 0, "float32")
    if weights is not None:
        check_number(weights, target)
        present = present * ops.convert_to_tensor(weights, "float32")
    return ops.divide_no_nan(ops.sum(present * losses, -1), ops.sum(present, -1))


def check_number(weights: list | str, target: Any) -> None:
    """Raise UsageError unless there is one weight for every class of `target`."""
    if len(weights) != target.shape[-1]:
        raise UsageError(f"{len(weights)} class weights for {target.shape[-1]} classes; "
                         "give one weight for every class")


def _check_shapes(labels: Sequence[int | None], logits: Sequence[int | None]) -> None:
    fits = len(labels) == 3 and len(logits) == 4 and all(
        a == b or a is None or b is None for a, b in zip(labels, logits[:3], strict=True))
    if not fits:
        raise UsageError(f"labels {tuple(labels)} do not fit logits {tuple(logits)}; "
                         "expected labels (B, h, w) and logits (B, h, w, C)")
