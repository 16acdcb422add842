"""How many workers run where."""

import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.launch.hosts import layout
from segnet_hpu.launch.requirements import check_workers


@pytest.mark.parametrize("given, hosts", [
    (dict(num_workers=3), [("localhost", 3)]),
    (dict(num_workers_per_hls=8), [("localhost", 8)]),
    (dict(num_workers_per_hls=8, num_workers=4), [("localhost", 4)]),
    (dict(hosts="a:8,b:8"), [("a", 8), ("b", 8)]),
    (dict(hosts="a:8, b:8", num_workers=12), [("a", 8), ("b", 4)]),
    (dict(hosts="a:4,b:4", num_workers=4), [("a", 4)]),
    (dict(hosts="a,b", num_workers_per_hls=4), [("a", 4), ("b", 4)]),
    (dict(hosts="a:2,b", num_workers_per_hls=8), [("a", 2), ("b", 8)]),
])
def test_layout(settings, given, hosts):
    plan = layout(settings(**given))
    assert plan.hosts == tuple(hosts) and plan.workers == sum(n for _, n in hosts)
    assert plan.is_local == (hosts[0][0] == "localhost")


@pytest.mark.parametrize("given, words", [
    (dict(), "--num_workers"),
    (dict(hosts="a:8,b:8", num_workers=17), "has room for 16"),
    (dict(num_workers_per_hls=8, num_workers=9), "this machine has room for 8"),
    (dict(hosts="a:8,b"), "'b' is no machine with its number"),
    (dict(hosts="a:0"), "'a:0'"), (dict(hosts="a:x"), "'a:x'"), (dict(hosts=":8"), "':8'"),
    (dict(hosts="a:2,"), "''"),
    (dict(hosts="a:2,a:2"), "named twice"),
])
def test_no_layout(settings, given, words):
    with pytest.raises(UsageError) as refused:
        layout(settings(**given))
    assert words in str(refused.value)


@pytest.mark.parametrize("workers, box, fits", [
    (1, None, True), (2, None, True), (4, None, True), (8, None, True), (3, None, False), (6, None, False),
    (16, None, False), (4, "HLS1-H", True), (8, "HLS1-H", False), (8, "HLS2", True), (8, "OCP1", True),
])
def test_cards_of_a_box(settings, workers, box, fits):
    given = settings(num_workers=workers, hls_type=box, train_engine="hpu")
    if fits:
        check_workers(given)
    else:
        with pytest.raises(UsageError, match=f"^{workers} workers on localhost: .*{box or 'a Gaudi box'}"):
            check_workers(given)


def test_every_box_of_a_host_list_is_checked(settings):
    check_workers(settings(hosts="a:8,b:8", train_engine="hpu"))
    with pytest.raises(UsageError, match="^3 workers on b"):
        check_workers(settings(hosts="a:8,b:3", train_engine="hpu"))
    with pytest.raises(UsageError, match="^8 on a, 4 on b: "):
        check_workers(settings(hosts="a:8,b:8", num_workers=12, train_engine="hpu"))
    with pytest.raises(UsageError, match="^6 workers on b"):  # what is left over for the last one
        check_workers(settings(hosts="a:8,b:8", num_workers=14, train_engine="hpu"))


@pytest.mark.parametrize("given", [dict(num_workers_per_hls=8), dict(launcher="mpirun"), dict(hosts="a:8")])
def test_what_is_for_several_workers_is_refused_for_one(settings, given):
    with pytest.raises(UsageError, match=f"--{next(iter(given))} is for several workers; add --distributed"):
        check_workers(settings(distributed=False, **given))
    check_workers(settings(num_workers=8, **given))
