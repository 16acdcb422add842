"""keras_segmentation's `train`, over our training run."""

from segnet_hpu import config
from segnet_hpu.training.check import check
from segnet_hpu.training.settings import Settings


def train(model, train_images, train_annotations, *, verify_dataset=True, ignore_zero_class=False,
          callbacks=None, **settings):
    """Train a model; return a keras.callbacks.History: `.history` {name: list}, `.epoch` list, both by epoch.

    model: a name of the registry, or a functional Keras model, raw RGB (B, H, W, 3) to logits, which
    starts from the weights it has unless load_weights or encoder_weights say otherwise.
    ignore_zero_class: leave class 0 out of loss and scores. callbacks: Keras callbacks.
    settings: those of `segnet-hpu train`, by the same names; None means the default.
    Raises UsageError for wrong settings or data, RunError if the run cannot go on.
    """
    own_model = not isinstance(model, str)
    values = _facts(model) if own_model else {"model_name": model}
    values |= {name: value for name, value in settings.items() if value is not None}
    if not verify_dataset:
        values["not_verify_dataset"] = True
    if ignore_zero_class:
        values["ignore_label"] = 0
    checked = config.from_values(Settings, train_images=train_images, train_annotations=train_annotations, **values)
    check(checked, own_model)
    from segnet_hpu.training.train import Run

    run = Run(checked, model if own_model else None, callbacks or ())
    return _history(run.fit(), run.model)


def _facts(model):
    """The settings that a model brings with it."""
    from segnet_hpu.models.registry import names
    from segnet_hpu.runtime.precision import data_type_in_force

    _, height, width, _ = model.input_shape
    return {"model_name": model.name if model.name in names() else None, "n_classes": model.output_shape[-1],
            "input_height": height, "input_width": width, "encoder_weights": "random",
            "data_type": data_type_in_force()}


def _history(rows, model):
    import keras

    history = keras.callbacks.History()
    history.set_model(model)
    history.epoch = [row["epoch"] - 1 for row in rows]
    history.history = {name: [row.get(name) for row in rows] for row in rows[:1] for name in row if name != "epoch"}
    return history
