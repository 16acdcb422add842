"""Batches: the same for any threads and cache, bounded, and ending cleanly."""

import threading

import numpy as np
import pytest

from segnet_hpu.data import cache
from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.geometry import Downsampling
from segnet_hpu.data.loader import AHEAD, Loader
from segnet_hpu.data.preprocessing import TrainTransform
from segnet_hpu.data.sampling import Stream
from segnet_hpu.data.source import FolderSource
from segnet_hpu.errors import UsageError

SIZE, LABEL_SIZE = (32, 48), (16, 24)
PAIR_BYTES = 40 * 60 * 4


class Memory:
    """A source that draws sample i anew each time and counts how often."""

    def __init__(self, size=10, broken=None):
        self.size, self.broken = size, broken
        self.decoded = []

    def __len__(self):
        return self.size

    def __getitem__(self, i):
        self.decoded.append(i)
        if i == self.broken:
            raise ValueError("no such colour")
        rng = np.random.default_rng(i)
        return rng.integers(0, 256, (40, 60, 3), np.uint8), np.full((40, 60), i, np.uint8)

    def name(self, i):
        return f"picture_{i}"


def loader(source=None, sampler=None, augmentation="strong", **options):
    source = source or Memory()
    transform = TrainTransform(SIZE, LABEL_SIZE, Augmentation.preset(augmentation))
    return Loader(source, sampler or Stream(len(source), 4, seed=3), transform, seed=3, **options)


def batch(loader, step):
    return next(loader.iterate(step, step + 1))


def in_order(size, batch_size):
    return Stream(size, batch_size, shuffle=False)


def equal(left, right):
    return len(left) == len(right) and all(
        np.array_equal(a, b) for pair, other in zip(left, right, strict=True)
        for a, b in zip(pair, other, strict=True))


def test_what_fills_up_a_share_has_its_image_and_a_void_label():
    last = loader(sampler=Stream(10, 4, seed=3, rank=2, ranks=3))
    images, labels = batch(last, 5)
    assert [type(entry).__name__ for entry in last.sampler.batch(5)] == ["Void", "Void"]
    whole, _ = batch(loader(sampler=Stream(10, 4, seed=3)), 5)
    np.testing.assert_array_equal(images, whole[:2])
    assert (labels == 255).all()


@pytest.mark.parametrize("options", [dict(threads=4), dict(threads=3, cache_bytes=0),
                                     dict(threads=2, cache_bytes=3 * PAIR_BYTES)])
def test_batches_do_not_depend_on_threads_or_cache(options):
    reference = list(loader(threads=1).iterate(0, 8))
    assert equal(list(loader(**options).iterate(0, 8)), reference)
    assert reference[0][0].shape == (4, *SIZE, 3) and reference[0][1].shape == (4, *LABEL_SIZE)
    assert reference[0][0].dtype == reference[0][1].dtype == np.uint8


def test_going_on_from_a_step_is_the_uninterrupted_run():
    whole = list(loader().iterate(0, 9))
    resumed = loader()
    assert equal(list(resumed.iterate(5, 9)), whole[5:])
    assert equal([batch(resumed, 2)], whole[2:3])


def test_ranks_make_the_global_batch_together():
    whole = list(loader().iterate(0, 4))
    ranks = [list(loader(sampler=Stream(10, 4, 3, rank=r, ranks=2)).iterate(0, 4)) for r in range(2)]
    joined = [tuple(np.concatenate(parts) for parts in zip(a, b, strict=True))
              for a, b in zip(*ranks, strict=True)]
    assert equal(joined, whole)


def test_a_sample_is_augmented_anew_each_epoch():
    once, again = (batch(loader(sampler=Stream(1, 1), augmentation="aug_non_geometric"), s) for s in (0, 1))
    assert not np.array_equal(once[0], again[0])


def test_an_error_comes_at_its_batch_and_names_the_sample():
    batches = loader(Memory(broken=6), in_order(10, 2)).iterate()
    assert [int(labels.min()) for labels in (next(batches)[1] for _ in range(3))] == [0, 2, 4]
    with pytest.raises(UsageError, match="picture_6.*no such colour"):
        next(batches)
    assert workers() == []


def test_a_broken_file_is_named(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "street.png").write_bytes(b"not a picture")
    source = FolderSource(tmp_path / "images", tmp_path / "labels")
    with pytest.raises(UsageError, match="street.png"):
        batch(loader(source, Stream(1, 1)), 0)


def workers():
    return [t for t in threading.enumerate() if t.name.startswith("loader")]


def test_a_consumer_that_leaves_leaves_no_threads_and_little_work():
    source = Memory(1000)
    batches = loader(source, in_order(1000, 4), cache_bytes=0, threads=3).iterate()
    for _ in range(2):
        next(batches)
    assert workers()
    batches.close()
    assert workers() == []
    assert max(source.decoded) < (2 + AHEAD + 1) * 4


def test_every_sample_is_decoded_once_when_it_fits():
    source = Memory()
    list(loader(source, threads=2).iterate(0, 10))  # four epochs
    assert sorted(set(source.decoded)) == list(range(10)) and len(source.decoded) <= 12


def test_cache_keeps_the_first_and_never_more_than_its_budget():
    source = Memory()
    kept = cache.Cache(source, budget=3 * PAIR_BYTES + 100)
    for _ in range(3):
        for i in range(6):
            image, label = kept[i]
            assert (label == i).all()
            assert kept.used <= kept.budget
    assert source.decoded == [0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5]
    with pytest.raises(ValueError):
        kept[0][0][0] = 0  # shared, so nobody may write


def test_cache_counts_a_sample_once_when_threads_meet_on_it():
    meet = threading.Barrier(4, timeout=20)

    class Slow(Memory):
        def __getitem__(self, i):
            meet.wait()
            return super().__getitem__(i)

    kept = cache.Cache(Slow(), budget=10 * PAIR_BYTES)
    threads = [threading.Thread(target=kept.__getitem__, args=(0,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.used == PAIR_BYTES


def test_default_budget_is_a_share_of_what_is_free():
    assert 0 < cache.default_budget() <= min(2 << 30, cache.available_memory() // 3)


MIB = 1 << 20
V1 = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat")
V2 = ("memory.max", "memory.current", "memory.stat")


@pytest.mark.parametrize("names, contents, free", [
    (V2, (), 8 * MIB),
    (V2, ("max", "5000", "inactive_file 100"), 8 * MIB),
    (V2, ("5000", "4500", "anon 9\ninactive_file 4000\n"), 4500),
    (V2, ("5000", "5100", "inactive_file 0"), 0),
    (V1, ("6000", "4000", "inactive_file 7\ntotal_inactive_file 1500\n"), 3500),
    (V1, ("9223372036854771712", "4000", "total_inactive_file 0"), 8 * MIB),
])
def test_free_memory_is_the_container_s_with_its_cached_files(tmp_path, names, contents, free):
    (tmp_path / "memory").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal:  99000 kB\nMemAvailable:   8192 kB\n")
    for name, text in zip(names, contents, strict=False):
        (tmp_path / name).write_text(text)
    assert cache.available_memory(tmp_path / "meminfo", tmp_path) == free


def test_workers_of_a_machine_share_the_budget(monkeypatch):
    monkeypatch.setattr(cache, "available_memory", lambda: 8 << 30)
    assert [cache.default_budget(n) for n in (1, 2, 8)] == [2 << 30, 1 << 30, 1 << 28]


def test_camvid_labels_lie_where_the_images_do(real_data):
    import cv2

    folder = real_data / "camvid"
    source = FolderSource(folder / "val", folder / "valannot")
    transform = TrainTransform((320, 640), (160, 320), downsampling=Downsampling("bilinear"))
    images, labels = batch(Loader(source, in_order(len(source), 3), transform), 0)
    for (image_path, label_path), image, label in zip(source.pairs[:3], images, labels, strict=True):
        rows, columns = (np.arange(160) + 0.5) * 360 / 160, (np.arange(320) + 0.5) * 480 / 320  # centres
        expected = cv2.imread(label_path, 1)[:, :, 0][rows.astype(int)][:, columns.astype(int)]
        np.testing.assert_array_equal(label, expected)
        np.testing.assert_array_equal(image, cv2.resize(cv2.imread(image_path), (640, 320))[:, :, ::-1])
