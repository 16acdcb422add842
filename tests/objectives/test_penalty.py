"""L2 as a term of the loss: its value and gradient, and which weights it holds."""

import keras
import numpy as np
import pytest
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.objectives.penalty import penalise

tf = pytest.importorskip("tensorflow")

STRENGTH = 0.05
IMAGES = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, (4, 6, 6)).astype("uint8")


def network(dtype="float32", **first):
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((6, 6, 3)), layers.Conv2D(4, 3, padding="same", name="first", dtype=dtype, **first),
        layers.SeparableConv2D(4, 3, padding="same", name="separable", dtype=dtype),
        layers.PReLU(shared_axes=(1, 2)), layers.BatchNormalization(dtype=dtype),
        layers.Conv2DTranspose(3, 2, padding="same", name="last", dtype=dtype), layers.Activation("linear",
                                                                                                  dtype="float32")])


def kernels(model):
    return [np.array(v, "float64") for layer in model.layers if "conv" in type(layer).__name__.lower()
            for v in layer.trainable_variables if v.value.shape.rank == 4]


def total_loss(model):
    """The loss that training minimises, as a function of nothing, and its gradient by path."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(IMAGES, LABELS, model(IMAGES, training=False), training=False)
    variables = model.trainable_variables
    return float(loss), {v.path: g for v, g in
                         zip(variables, tape.gradient(loss, [v.value for v in variables]), strict=True)}


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_value_and_gradient(dtype):
    model = network(dtype)
    model.compile(make_optimizer("sgd", 0.1), make_loss("ce"), auto_scale_loss=False)
    plain, plain_gradient = total_loss(model)
    penalise(model, STRENGTH)
    loss, gradient = total_loss(model)
    assert len(kernels(model)) == 4
    assert loss - plain == pytest.approx(STRENGTH * sum((w**2).sum() for w in kernels(model)), rel=1e-5)
    for variable in model.trainable_variables:
        added = np.array(gradient[variable.path]) - np.array(plain_gradient[variable.path])
        if not variable.name.endswith("kernel"):
            assert not added.any(), variable.path
            continue
        w, step = np.array(variable, "float64"), 1e-4
        differences = [STRENGTH * ((x + step)**2 - (x - step)**2) / (2 * step) for x in w.ravel()]
        np.testing.assert_allclose(added.ravel(), differences, rtol=1e-4, atol=1e-6, err_msg=variable.path)


def test_once_an_update_under_accumulation():
    """With the gradient of the data at 0, SGD shrinks kernels by 2 * strength * rate, and nothing else."""
    model = network()
    penalise(model, STRENGTH)
    model.compile(make_optimizer("sgd", 0.5, accumulate=2, momentum=0.0), make_loss("ce"))
    before = kernels(model)
    others = [np.array(v) for v in model.trainable_variables if not v.name.endswith("kernel")]
    for _ in range(2):
        model.train_on_batch(IMAGES, np.full_like(LABELS, 255))
    for w, old in zip(kernels(model), before, strict=True):
        np.testing.assert_allclose(w, old * (1 - 2 * STRENGTH * 0.5), rtol=1e-5)
    for v, old in zip([v for v in model.trainable_variables if not v.name.endswith("kernel")], others, strict=True):
        np.testing.assert_array_equal(v, old)


def test_frozen_kernels_and_shares_that_are_filled_up():
    model = network()
    model.get_layer("first").trainable = False
    penalise(model, STRENGTH / 1.5)
    held = sum((w**2).sum() for w in kernels(model))
    assert float(sum(model.losses)) * 1.5 == pytest.approx(STRENGTH * held, rel=1e-5)
    penalise(model, 0.0)
    assert model.losses == []


def test_a_regulariser_of_the_models_own(tmp_path):
    model = network(kernel_regularizer=keras.regularizers.L1(0.1))
    penalise(model, 0.0)
    assert len(model.losses) == 1
    with pytest.raises(UsageError, match="--l2: .*first/kernel of sequential.* has a regulariser of its own"):
        penalise(model, STRENGTH)


def test_a_saved_model_does_not_hold_it(tmp_path):
    model = network()
    penalise(model, STRENGTH)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").losses == []
