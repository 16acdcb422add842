"""Which samples make up which batch."""

import collections

import pytest

from segnet_hpu.data.sampling import Stream, Void
from segnet_hpu.errors import UsageError


def test_stream_is_whole_permutations_cut_into_full_batches():
    stream = Stream(7, 3, seed=5)
    entries = [entry for step in range(14) for entry in stream.batch(step)]
    assert [epoch for epoch, _ in entries] == [p // 7 for p in range(42)]
    orders = [tuple(i for epoch, i in entries if epoch == e) for e in range(6)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert len(set(orders)) > 1


def test_stream_depends_on_step_and_seed_alone():
    straight = Stream(10, 4, seed=1)
    straight = [straight.batch(step) for step in range(20)]
    jumping = Stream(10, 4, seed=1)
    assert {s: jumping.batch(s) for s in (19, 3, 11, 0, 3)} == {s: straight[s] for s in (19, 3, 11, 0)}
    assert [Stream(10, 4, seed=2).batch(s) for s in range(20)] != straight


def test_stream_with_batches_larger_than_the_data():
    entries = [entry for step in range(3) for entry in Stream(3, 8, seed=0).batch(step)]
    assert len(entries) == 24
    assert set(collections.Counter(i for _, i in entries).values()) == {8}


def test_stream_without_shuffling_keeps_the_order():
    stream = Stream(3, 2, shuffle=False)
    assert [stream.batch(s) for s in range(3)] == [[(0, 0), (0, 1)], [(0, 2), (1, 0)], [(1, 1), (1, 2)]]


def test_ranks_share_the_global_batch():
    for step in range(2):
        shares = [Stream(11, 6, 3, rank=r, ranks=3).batch(step) for r in range(3)]
        assert [len(share) for share in shares] == [2, 2, 2]
        assert sum(shares, []) == Stream(11, 6, 3).batch(step)


@pytest.mark.parametrize("ranks, parts", [(4, 2), (5, 2), (7, 1)])
def test_an_uneven_batch_is_shared_whole_and_filled_up_with_void(ranks, parts):
    for step in range(3):
        shares = [Stream(11, 6, 3, rank=r, ranks=ranks).batch(step) for r in range(ranks)]
        assert {len(share) for share in shares} == {parts}
        entries = sum(shares, [])
        whole = Stream(11, 6, 3).batch(step)
        assert [entry for entry in entries if not isinstance(entry, Void)] == whole
        filling = [entry for entry in entries if isinstance(entry, Void)]
        assert len(filling) == ranks * parts - 6 and set(filling) <= set(whole)


@pytest.mark.parametrize("call, words", [
    (lambda: Stream(0, 4), "empty"),
    (lambda: Stream(4, 0), "batch_size is 0"),
    (lambda: Stream(4, 4, seed=-1), "seed is -1"),
    (lambda: Stream(4, 4, rank=2, ranks=2), "this is rank 2"),
])
def test_refusals(call, words):
    with pytest.raises(UsageError, match=words):
        call()
