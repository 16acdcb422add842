"""Loss scaling among the ranks of torch: both ranks' gradients decide whether a step overflows."""

import types

import keras
import numpy as np
import pytest

torch = pytest.importorskip("torch")
if keras.config.backend() != "torch":
    pytest.skip("KERAS_BACKEND=torch runs it", allow_module_level=True)

from segnet_hpu.runtime.ranks import gradient_buckets  # noqa: E402
from segnet_hpu.runtime.ranks.torch_distributed import TorchDistributed  # noqa: E402
from segnet_hpu.runtime.worker import Place  # noqa: E402

SCALE = 8.0


@pytest.mark.parametrize("others, weights", [(3.0, [-1.0, -2.0]), (np.inf, [1.0, 1.0])])
@pytest.mark.parametrize("accumulate", [None, 2])
def test_an_overflow_of_the_other_rank_is_ours_too(monkeypatch, others, weights, accumulate):
    """The other rank's gradients, before scaling, are all the same number; ours are 1 and 3."""
    monkeypatch.setattr(gradient_buckets, "dist", types.SimpleNamespace(
        all_reduce=lambda tensor, async_op: types.SimpleNamespace(wait=lambda: tensor.add_(others / 2 * SCALE)),
        get_world_size=lambda: 2))
    variable = keras.Variable(np.ones(2, "float32"))
    inner = keras.optimizers.SGD(1.0, gradient_accumulation_steps=accumulate)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=SCALE)
    optimizer.build([variable])
    ranks = TorchDistributed(Place(0, 2, 0, 2, "torchrun"), timeout=5)
    ranks.average_gradients(optimizer)

    def loop():
        for _ in range(accumulate or 1):
            variable.value.grad = None
            optimizer.scale_loss((variable.value * torch.tensor([1.0, 3.0])).sum()).backward()
            optimizer.apply([variable.value.grad], [variable])

    ranks.drive(types.SimpleNamespace(loop=loop))
    assert keras.ops.convert_to_numpy(variable).tolist() == weights
    halvings = 0 if np.isfinite(others) else accumulate or 1
    assert float(optimizer.dynamic_scale) == SCALE / 2**halvings
