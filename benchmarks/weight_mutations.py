"""Spoil files of weights, and count what becomes of them; run by mutations.py.

Neither format has checksums: an altered bit of a number is another number. All else is refused, told or of no effect.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import keras
import numpy as np

from segnet_hpu.errors import SegnetError
from segnet_hpu.interchange.caffe.importer import import_weights
from segnet_hpu.interchange.caffe.messages import net_class
from segnet_hpu.interchange.caffe.reader import read_caffemodel
from segnet_hpu.interchange.vgg16 import load_vgg16
from segnet_hpu.models.encoders.vgg16 import BLOCKS
from segnet_hpu.models.weights import refuse_broken_weights

Rng = np.random.Generator
Reader = Callable[[keras.Model, Path], object]


def caffe_network() -> keras.Model:
    """A convolution, its batch normalisation and a classifier, with weights of their own."""
    x = image = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1.0)(x)
    x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(name="conv_bn")(x))
    return keras.Model(image, keras.layers.Conv2D(3, 1, name="classifier")(x), name="mine")


def write_caffemodel(path: Path, rng: Rng) -> None:
    """Write weights for it, format V2."""
    net = net_class()()
    shapes = {"conv": [(4, 3, 3, 3), (4,)], "conv_bn": [(4,), (4,), (1,)], "classifier": [(3, 4, 1, 1), (3,)]}
    kinds = {"conv": b"Convolution", "conv_bn": b"BatchNorm", "relu": b"ReLU", "classifier": b"Convolution"}
    below = b"data"
    for name, kind in kinds.items():
        layer = net.layer.add(name=name.encode(), type=kind, bottom=[below], top=[name.encode()])
        below = name.encode()
        for shape in shapes.get(name, []):
            blob = layer.blobs.add(data=[rng.uniform(0.5, 1.5, shape).astype("<f4").tobytes()])
            blob.shape.dim.extend(shape)
    path.write_bytes(net.SerializeToString())


def read_caffe(model: keras.Model, path: Path) -> object:
    """Import it; return what the user is told."""
    return import_weights(model, read_caffemodel(path), path)


def vgg_network() -> keras.Model:
    """The convolutions of VGG16."""
    x = image = keras.Input((8, 8, 3))
    for b, widths in enumerate(BLOCKS, 1):
        for i, width in enumerate(widths, 1):
            x = keras.layers.Conv2D(width, 3, padding="same", name=f"block{b}_conv{i}")(x)
    return keras.Model(image, x, name="vgg")


def write_vgg(path: Path, rng: Rng) -> None:
    """Write its weights in the layout of Keras' official file; many are zeros, so that spoiling is quick."""
    channels = 3
    with h5py.File(path, "w") as file:
        for b, widths in enumerate(BLOCKS, 1):
            for i, width in enumerate(widths, 1):
                name = f"block{b}_conv{i}"
                group = file.create_group(name)
                names = [f"{name}_W_1:0", f"{name}_b_1:0"]
                group.attrs["weight_names"] = [n.encode() for n in names]
                kernel = np.zeros((3, 3, channels, width), np.float32)
                kernel[0, 0] = rng.uniform(0.5, 1.5, (channels, width))
                group.create_dataset(names[0], data=kernel, compression="gzip", compression_opts=1)
                group[names[1]] = rng.uniform(0.5, 1.5, width).astype(np.float32)
                channels = width


def read_vgg(model: keras.Model, path: Path) -> object:
    """Load it as --encoder_weights does."""
    told = load_vgg16(model, str(path))
    refuse_broken_weights(model, path)
    return told


def structure(path: Path) -> np.ndarray:
    """Return the places of a file's bytes that are no numbers, of an HDF5 file; of any other those of all."""
    places = np.ones(path.stat().st_size, bool)
    if not h5py.is_hdf5(path):
        return np.flatnonzero(places)

    def leave_out(name: str, found: object) -> None:
        if not isinstance(found, h5py.Dataset):
            return
        if found.chunks:
            chunks = map(found.id.get_chunk_info, range(found.id.get_num_chunks()))
            parts = [(chunk.byte_offset, chunk.size) for chunk in chunks]
        else:
            parts = [(found.id.get_offset(), found.id.get_storage_size())]
        for begin, size in parts:
            places[begin:begin + size] = False

    with h5py.File(path) as file:
        file.visititems(leave_out)
    return np.flatnonzero(places)


KINDS: dict[str, tuple[Callable[[], keras.Model], Callable[[Path, Rng], None], Reader]] = {
    "caffemodel": (caffe_network, write_caffemodel, read_caffe), "vgg16": (vgg_network, write_vgg, read_vgg)}


class SpoiltWeights:
    """A sound file of weights, and what its reader makes of spoilt copies. spoil: alters a file; returns how."""

    def __init__(self, kind: str, spoil: Callable[[Path, Rng], str]) -> None:
        make, write, self.read = KINDS[kind]
        self.model, self.spoil = make(), spoil
        self.path, self.number = Path(f"weights.{kind}"), list(KINDS).index(kind)
        write(self.path, np.random.default_rng(0))
        self.sound, self.structure = self.path.read_bytes(), structure(self.path)
        self.told = self.read(self.model, self.path)
        self.weights = self.model.get_weights()

    def alter_structure(self, rng: Rng) -> str:
        """Alter a bit, or a whole byte, that is of no number; return how."""
        data, at = bytearray(self.sound), int(rng.choice(self.structure))
        data[at] = int(rng.integers(256)) if rng.random() < 0.5 else data[at] ^ 1 << int(rng.integers(8))
        self.path.write_bytes(data)
        return f"byte {at} {self.sound[at]} -> {data[at]}"

    def outcome(self, number: int) -> Iterator[str]:
        """Spoil the file; yield what became of it: refused, told, the same or other numbers; what else is wrong."""
        self.path.write_bytes(self.sound)
        rng = np.random.default_rng([2 + self.number, number])
        how = self.alter_structure(rng) if rng.random() < 0.5 else self.spoil(self.path, rng)
        self.model.set_weights(self.weights)
        try:
            told = self.read(self.model, self.path)
        except SegnetError as error:
            yield "refused" if len(str(error).splitlines()) == 1 else f"{number}: {how}: {error}"
            return
        except Exception as error:  # none may pass
            yield f"{number}: {how}: {type(error).__name__}: {error}"
            return
        found = self.model.get_weights()
        changed = sum(np.count_nonzero(a != b) for a, b in zip(found, self.weights, strict=True))
        if not all(np.isfinite(a).all() for a in found):
            yield f"{number}: {how}: NaN or infinity was taken"
        elif told != self.told:
            yield "told"
        else:
            yield "the same" if not changed else "one other number" if changed == 1 else f"{changed} other numbers"
