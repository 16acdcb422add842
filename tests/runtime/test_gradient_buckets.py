"""What the buckets of gradients send, when, and what comes back. Two ranks' sums are drawn up beside them."""

import types

import pytest

torch = pytest.importorskip("torch")

from segnet_hpu.errors import WorkerLost  # noqa: E402
from segnet_hpu.runtime.ranks import gradient_buckets  # noqa: E402
from segnet_hpu.runtime.ranks.gradient_buckets import GradientBuckets  # noqa: E402


@pytest.fixture
def sent(monkeypatch):
    """Two ranks, of which the other one's gradients are all 3; a list of what this one has sent, by message."""
    messages = []

    def all_reduce(tensor, async_op):
        assert async_op
        messages.append(tensor.clone())
        tensor.add_(3 if tensor.dtype == torch.float16 else 3 / 2)  # fp16 is divided when it has come
        return types.SimpleNamespace(wait=lambda: None)

    monkeypatch.setattr(gradient_buckets, "dist", types.SimpleNamespace(all_reduce=all_reduce,
                                                                        get_world_size=lambda: 2))
    return messages


def parameters(*shapes, dtype=torch.float32):
    return [torch.nn.Parameter(torch.ones(shape, dtype=dtype)) for shape in shapes]


def test_means_of_gradients_of_any_shape_and_type(sent):
    likes = [*parameters((2, 3), (4,)), *parameters((2,), dtype=torch.float64)]
    buckets = GradientBuckets(likes, torch.tensor([1.0, 0.0]))
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):  # steps
        gradients = [torch.randn(like.shape, generator=generator, dtype=like.dtype) for like in likes]
        gradients[0] = gradients[0].mT.contiguous().mT  # laid out otherwise than its parameter
        means = [buckets.put(i, gradient) for i, gradient in enumerate(gradients)]
        rider = buckets.finish()
        for gradient, mean in zip(gradients, means, strict=True):
            assert mean.dtype == gradient.dtype
            torch.testing.assert_close(mean, (gradient + 3) / 2)
        assert (rider - 1.5).tolist() == [1.0, 0.0]
    assert [len(message) for message in sent] == [2, 12] * 2  # the last parameter's first; the rider with the last


def test_buckets_leave_while_the_backward_pass_goes_on_in_the_order_that_all_ranks_share(sent, monkeypatch):
    monkeypatch.setattr(gradient_buckets, "BYTES", 1)
    first, second, third = weights = parameters((2,), (2,), (2,))
    buckets = GradientBuckets(weights, torch.zeros(2))
    gone = []  # messages that are under way when a gradient comes
    for weight in weights:
        weight.register_hook(lambda gradient: gone.append(len(sent)))
    with buckets.watching(weights):
        (((first * 2).detach() + first) * 5 * second * third).sum().backward()
    assert gone[-1] == 2 and sorted(gone) == gone
    buckets.finish()
    torch.testing.assert_close([w.grad for w in weights], [torch.full((2,), (g + 3) / 2) for g in (5.0, 15.0, 15.0)])
    assert len(sent) == 3
    first.grad = None
    (first * 2).sum().backward()
    assert len(sent) == 3  # nobody watches any more


def test_a_weight_without_a_gradient_is_sent_as_nought(sent):
    used, unused = weights = parameters((2,), (3,))
    buckets = GradientBuckets(weights, torch.zeros(2))
    for step in range(2):
        used.grad = None
        with buckets.watching(weights):
            (used * (step + 1)).sum().backward()
        assert not sent[step:]
        buckets.finish()
        assert sent[step].tolist() == [0.0] * 3 + [(step + 1) / 2] * 2 + [0.0] * 2 and unused.grad is None


def test_gradients_travel_as_fp16_and_are_divided_in_their_own_type(sent):
    weights = parameters((2,))
    buckets = GradientBuckets(weights, torch.zeros(2), torch.float16)
    mean = buckets.put(0, torch.tensor([60000.0, 1 / 3]))
    buckets.finish()
    assert sent[0].dtype == torch.float16 and mean.dtype == torch.float32
    fp16 = torch.tensor([60000.0, 1 / 3], dtype=torch.float16) + 3
    assert mean.tolist() == (fp16.float() / 2).tolist()


@pytest.mark.parametrize("words, said", [
    ("[/pytorch/gloo/pair.cc:553] Connection closed by peer [10.0.0.2]:18132. This is typically a crash. GLHF!\nmore",
     "lost another worker: Connection closed by peer [10.0.0.2]:18132; what was saved"),
    ("[/pytorch/gloo/unbound_buffer.cc:78] Timed out waiting 6000ms for recv operation to complete",
     "lost another worker: Timed out waiting 6000ms for recv operation to complete; what was saved"),
    ("Application timeout caused pair closure", "lost another worker: Application timeout caused pair closure; what"),
])
def test_a_lost_worker_is_told_of_in_words(words, said):
    with pytest.raises(WorkerLost) as lost, gradient_buckets.meeting():
        raise RuntimeError(words)
    assert str(lost.value).startswith(said) and "\n" not in str(lost.value)
