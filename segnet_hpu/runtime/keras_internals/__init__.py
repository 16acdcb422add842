"""Every private name of Keras that this package touches; that each is there is checked at import.

Raises UsageError at import under a version of Keras that lacks one.
"""

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

from segnet_hpu.errors import UsageError

Gradients = list[Any]  # tensors of the backend

_BASE_CONV = "keras.src.layers.convolutional.base_conv"


def _missing() -> Iterator[str]:
    """Yield the private names that this Keras lacks."""
    optimizer, normalisation = keras.optimizers.Optimizer, keras.layers.BatchNormalization
    for owner, names in ((optimizer, ("_clip_gradients", "_apply_weight_decay", "_use_weight_decay", "_var_key",
                                      "update_step", "_get_current_learning_rate")),
                         (normalisation, ("_moments", "_flatten_layers"))):
        yield from (f"{owner.__name__}.{name}" for name in names if not hasattr(owner, name))
    built = inspect.unwrap(optimizer.build).__code__.co_names
    yield from (f"Optimizer.{name}" for name in ("_model_variables_moving_average", "_accumulated_gradients",
                                                 "_trainable_variables") if name not in built)
    rate = optimizer._get_current_learning_rate.__code__.co_names
    yield from (f"Optimizer.{name}" for name in ("_learning_rate", "_iterations") if name not in rate)
    tensor = keras.Input((1,), name="probe")
    if not hasattr(keras.Model(tensor, tensor + 1, name="probe"), "_initial_epoch"):
        yield "Model._initial_epoch"
    if not hasattr(tensor, "_keras_history") or not hasattr(tensor._keras_history.operation, "_inbound_nodes"):
        yield "KerasTensor._keras_history"
    if importlib.util.find_spec(_BASE_CONV) is None:
        yield _BASE_CONV


def check_keras(missing: Callable[[], Iterator[str]] = _missing) -> None:
    """Raise UsageError, of one line, if this Keras lacks what we touch of its inside.

    missing: a function that yields the names it lacks.
    """
    for name in missing():
        raise UsageError(f"Keras {keras.__version__} has no {name}; expected Keras 3.12.4 to 3.15. "
                         "Run pip install 'keras>=3.12.4,<3.16'")


check_keras()


def operations_before(tensor: keras.KerasTensor) -> list[keras.Operation]:
    """Return the operations, layers among them, that a symbolic tensor was computed by."""
    found: dict[tuple[int, int], keras.Operation] = {}
    waiting = [tensor]
    while waiting:
        operation, node, _ = waiting.pop()._keras_history
        if (id(operation), node) not in found:
            found[id(operation), node] = operation
            waiting += operation._inbound_nodes[node].input_tensors
    return list(found.values())


def inner_optimizer(optimizer: keras.Optimizer) -> keras.Optimizer:
    """Return the optimizer itself, or the one that loss scaling wraps."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def trained_variables(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """Return the variables that an optimizer, which is built, trains."""
    return inner_optimizer(optimizer)._trainable_variables


def moving_averages(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """Return the moving averages of the trainable variables, in their order; none without `use_ema`."""
    inner = inner_optimizer(optimizer)
    return inner._model_variables_moving_average if inner.use_ema else []


def accumulated_gradients(optimizer: keras.Optimizer) -> list[keras.Variable]:
    """Return the gradients that are gathered but not yet used, in the order of the trainable variables."""
    inner = inner_optimizer(optimizer)
    return inner._accumulated_gradients if inner.gradient_accumulation_steps else []


def rate_variable(optimizer: keras.Optimizer) -> keras.Variable | None:
    """Return the variable that holds the learning rate, which callbacks may set; None where a schedule sets it."""
    rate = optimizer.learning_rate
    return rate if isinstance(rate, keras.Variable) else None


def first_epoch(model: keras.Model) -> int:
    """Return the epoch, from 0, from which a callback such as BackupAndRestore has told `fit` to go on."""
    return getattr(model, "_initial_epoch", None) or 0


def set_first_epoch(model: keras.Model, epoch: int | None) -> None:
    """Tell callbacks from which epoch `fit` starts; None: from the first, unless one of them says otherwise."""
    model._initial_epoch = epoch


def rate_of_last_step(optimizer: keras.Optimizer) -> float:
    """Return the learning rate of the last step; `optimizer.learning_rate` is a schedule's for the next."""
    optimizer = inner_optimizer(optimizer)
    rate = optimizer._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        # By batches, as Keras asks: with gradient accumulation `iterations` counts updates.
        rate = rate(keras.ops.maximum(optimizer._iterations - 1, 0))
    return float(keras.ops.convert_to_numpy(rate))


def set_steps(optimizer: keras.Optimizer, steps: int) -> None:
    """Let an optimizer have done so many steps, by which its schedule goes."""
    inner_optimizer(optimizer)._iterations.assign(steps)


def use_anew(optimizer: keras.Optimizer, variables: Iterable[keras.Variable]) -> bool:
    """Give an optimizer that may have trained before its own methods back; return whether it can train `variables`.

    One that has trained others cannot: it keeps moments for each.
    """
    inner = inner_optimizer(optimizer)
    for one in (optimizer, inner):
        for name in ("apply", "_clip_gradients", "update_step", "_parallel_update_step", "_apply_weight_decay"):
            vars(one).pop(name, None)
    return not inner.built or {id(v) for v in inner._trainable_variables} == {id(v) for v in variables}


def transform_gradients(optimizer: keras.Optimizer, transform: Callable[[Gradients], Gradients]) -> None:
    """Let an optimizer send its gradients through `transform`: once an update, after accumulation, before clipping.

    Under loss scaling before the check for overflow instead, at every step.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        apply = optimizer.apply
        optimizer.apply = lambda grads, variables=None: apply(transform(grads), variables)
    else:
        clip = optimizer._clip_gradients
        optimizer._clip_gradients = lambda grads: clip(transform(grads))


def steps_done(optimizer: keras.Optimizer) -> Any:
    """Return how many batches an optimizer has taken, an integer scalar; not those whose loss overflowed."""
    # `iterations` counts updates, which under gradient accumulation are fewer.
    return keras.ops.convert_to_tensor(inner_optimizer(optimizer)._iterations)


def batch_normalisations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """Return a model's layers of batch normalisation, those inside other layers and models too."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]


def replace_moments(layer: keras.layers.BatchNormalization, moments: Callable[[Any], tuple[Any, Any]]) -> None:
    """Let batch normalisation take mean and variance of its inputs from moments(inputs), in training."""
    layer._moments = lambda inputs, mask: moments(inputs)


def usual_moments(layer: keras.layers.BatchNormalization) -> bool:
    """Return whether batch normalisation takes mean and variance of its own inputs, as Keras' own does."""
    own = keras.layers.BatchNormalization._moments
    return getattr(layer._moments, "__func__", None) is own and not layer.synchronized


def scale_rate(optimizer: keras.Optimizer, variables: Iterable[keras.Variable], factor: float) -> None:
    """Let some trainable variables learn at `factor` times the optimizer's rate, weight decay included.

    The rate itself is multiplied, because a gradient's scale means nothing to Adam and its kind; moments, clipping
    and averages stay as they are. Keras keeps it out of the optimizer's config: after a reload, call it again.
    Raises UsageError unless factor is above 0.
    """
    if factor <= 0:
        raise UsageError(f"the factor of a rate is {factor}; expected a number above 0")
    optimizer = inner_optimizer(optimizer)
    scaled = {optimizer._var_key(v) for v in variables}

    def factor_of(variable: Any) -> float:
        return factor if optimizer._var_key(variable) in scaled else 1.0

    _scale_updates(optimizer, factor_of)
    _scale_decay(optimizer, factor_of)


def _scale_updates(optimizer: keras.Optimizer, factor_of: Callable[[Any], float]) -> None:
    update = optimizer.update_step

    def update_step(gradient: Any, variable: Any, rate: Any) -> None:
        update(gradient, variable, rate * factor_of(variable))

    optimizer.update_step = update_step
    if hasattr(optimizer, "_parallel_update_step"):
        optimizer._parallel_update_step = _by_factor(optimizer, factor_of)


def _by_factor(optimizer: keras.Optimizer, factor_of: Callable[[Any], float]) -> Callable[..., None]:
    """Keras' torch optimizers update all variables in one call: let them take those of each factor in turn."""
    update = optimizer._parallel_update_step

    def parallel_update_step(gradients: Gradients, variables: list[Any], rate: Any) -> None:
        # Nadam's product of momenta, which its `build` makes and every call moves on.
        product = getattr(optimizer, "_u_product", None)
        before = None if product is None else keras.ops.copy(product)
        for factor in sorted({factor_of(v) for v in variables}):
            if product is not None:
                product.assign(before)
            group = [(g, v) for g, v in zip(gradients, variables, strict=True) if factor_of(v) == factor]
            update([g for g, _ in group], [v for _, v in group], rate * factor)

    return parallel_update_step


def _scale_decay(optimizer: keras.Optimizer, factor_of: Callable[[Any], float]) -> None:
    decay = optimizer._apply_weight_decay

    def apply_weight_decay(variables: list[Any]) -> None:
        usual = optimizer.weight_decay
        if not usual:
            return
        decayed = [v for v in variables if optimizer._use_weight_decay(v)]
        for factor in sorted({factor_of(v) for v in decayed}):
            optimizer.weight_decay = usual * factor
            decay([v for v in decayed if factor_of(v) == factor])
        optimizer.weight_decay = usual

    optimizer._apply_weight_decay = apply_weight_decay


def give_keras3_a_conv() -> None:
    """Let Habana's package patch a class that nobody uses: it replaces a method of Keras 2's `Conv`.

    The patch keeps XLA out of convolutions, for which we have jit_compile=False.
    """
    base_conv: Any = importlib.import_module(_BASE_CONV)
    if not hasattr(base_conv, "Conv"):
        base_conv.Conv = type("Conv", (), {})
