"""Gradients averaged over the ranks in buckets, under the backward pass."""

import contextlib
import functools
from collections.abc import Iterator, Sequence

import torch
import torch.distributed as dist

from segnet_hpu.errors import WorkerLost

BYTES = 8 << 20  # of a bucket: large enough for the network's speed, and many of them in a network


@contextlib.contextmanager
def meeting() -> Iterator[None]:
    """The context of a collective call: what torch raises there, as over a closed connection, is WorkerLost."""
    try:
        yield
    except RuntimeError as error:
        # Gloo puts its own source before the words, and advice behind.
        words = str(error).partition("\n")[0].rpartition("] ")[2] if str(error).startswith("[") else str(error)
        raise WorkerLost(f"{words.partition('. ')[0].strip()}; what was saved is whole, go on with "
                         "--auto_resume_checkpoint") from error


class Bucket:
    """Gradients that travel as one message.

    likes: tensors of one type and device, shaped like the gradients. rider: floats that come along. wire: the type
    that is sent, the gradients' own if None. ranks: how many there are. slots: the gradients' places.
    """

    def __init__(self, likes: Sequence[torch.Tensor], rider: torch.Tensor | None, wire: torch.dtype | None,
                 ranks: int) -> None:
        parts = [*likes, *([] if rider is None else [rider])]
        self.rider = rider
        self.flat = likes[0].new_zeros(sum(part.numel() for part in parts))
        self.places = [place.view(part.shape) for place, part in
                       zip(self.flat.split([part.numel() for part in parts]), parts, strict=True)]
        self.slots = self.places[:len(likes)]
        self.sent = self.flat if wire is None else torch.empty_like(self.flat, dtype=wire)
        # While they are copied, which takes no time of its own; but a small type would lose more of small numbers.
        self.factor_before, self.factor_after = (1 / ranks, 1.0) if wire is None else (1.0, 1 / ranks)
        self.empty = set(range(len(likes)))

    def put(self, slot: int, gradient: torch.Tensor) -> torch.Tensor:
        """Take a gradient; return the tensor that holds the mean of all ranks' once it is received."""
        self.empty.discard(slot)
        return torch.mul(gradient, self.factor_before, out=self.slots[slot])

    def send(self) -> None:
        """Let the bucket go; what no gradient has come for is sent as 0."""
        for i in self.empty:
            self.slots[i].zero_()
        if self.rider is not None:
            self.places[-1].copy_(self.rider)
        if self.sent is not self.flat:
            self.sent.copy_(self.flat)
        with meeting():
            self.work = dist.all_reduce(self.sent, async_op=True)

    def receive(self) -> None:
        """Wait for the means, and be ready for the next step."""
        with meeting():
            self.work.wait()
        if self.sent is not self.flat:
            self.flat.copy_(self.sent).mul_(self.factor_after)
        self.empty = set(range(len(self.slots)))


class GradientBuckets:
    """Averages gradients over the ranks.

    likes: the parameters, or tensors that are shaped like their gradients, in the order of the forward pass. rider:
    floats of this rank, not below 0, of which the others get to know where they are above. wire: the type that is
    sent, the gradients' own if None.
    """

    def __init__(self, likes: Sequence[torch.Tensor], rider: torch.Tensor, wire: torch.dtype | None = None) -> None:
        groups, ranks = _grouped(likes), dist.get_world_size()
        self.buckets = [Bucket([likes[i] for i in group], rider if group is groups[-1] else None, wire, ranks)
                        for group in groups]
        self.places = {i: (bucket, slot) for bucket, group in zip(self.buckets, groups, strict=True)
                       for slot, i in enumerate(group)}
        self.under_way = 0  # buckets that have been sent
        self.watches = False

    @contextlib.contextmanager
    def watching(self, parameters: Sequence[torch.Tensor]) -> Iterator[None]:
        """Within this context the backward pass itself puts the parameters' gradients into the buckets, as they come.

        A parameter's `grad` then is its place there, and holds the mean after `finish`.
        """
        handles = [parameter.register_post_accumulate_grad_hook(functools.partial(self._take, i))
                   for i, parameter in enumerate(parameters)]
        self.watches = True
        try:
            yield
        finally:
            self.watches = False
            for handle in handles:
                handle.remove()

    def _take(self, i: int, parameter: torch.Tensor) -> None:
        assert parameter.grad is not None
        parameter.grad = self.put(i, parameter.grad)

    def put(self, i: int, gradient: torch.Tensor) -> torch.Tensor:
        """Take gradient i; return the tensor that holds the mean of all ranks' after `finish`."""
        bucket, slot = self.places[i]
        mean = bucket.put(slot, gradient)
        # In their order, which is the same on all ranks whatever comes first.
        while self.under_way < len(self.buckets) and not self.buckets[self.under_way].empty:
            self._send_next()
        return mean

    def _send_next(self) -> None:
        self.buckets[self.under_way].send()
        self.under_way += 1

    def finish(self) -> torch.Tensor:
        """Send what is left, wait for all; return a rider that is above 0 where that of any rank was."""
        while self.under_way < len(self.buckets):
            self._send_next()
        for bucket in self.buckets:
            bucket.receive()
        self.under_way = 0
        return self.buckets[-1].places[-1].clone()


def _grouped(likes: Sequence[torch.Tensor]) -> list[list[int]]:
    """Return the numbers of the tensors in groups of one type and device, the last tensors first: their gradients
    are the first to come."""
    groups: list[list[int]] = []
    filled = 0
    for i in reversed(range(len(likes))):
        last = likes[groups[-1][0]] if groups else None
        if last is None or filled >= BYTES or (last.dtype, last.device) != (likes[i].dtype, likes[i].device):
            groups.append([])
            filled = 0
        groups[-1].append(i)
        filled += likes[i].numel() * likes[i].element_size()
    return groups
