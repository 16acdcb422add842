"""Spoil data and runs in many ways, and count what is taken that should not be.

    python benchmarks/mutations.py labels --n 1000    what verify_dataset refuses, all that read labels refuse
    python benchmarks/mutations.py run --n 500        of a spoilt run: one line, or the result of the sound one
    python benchmarks/mutations.py caffemodel --n 200    of spoilt weights, or vgg16: see weight_mutations.py

Every command runs in this process. The exit status is 1 where something is wrong, which is printed with its number:
--first NUMBER --n 1 does it again. Outputs aimed at inputs are a test: tests/cli/test_outputs.py.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.cli import main

Rng = np.random.Generator
SIDE, CLASSES, PAIRS = 32, 3, 4
FOLDERS = "--images_path images --segs_path labels"
COUNTED = f"{FOLDERS} --n_classes {CLASSES}"
TRAIN = (f"train --model_name unet_mini --n_classes {CLASSES} --input_height {SIDE} --input_width {SIDE} --epochs 1 "
         "--batch_size 2 --train_images images --train_annotations labels --train_engine cpu --model_dir ")
# That read labels; {} is a new place.
READERS = {
    "train": TRAIN + "{}", "evaluate_model": f"evaluate_model --checkpoints_path sound {FOLDERS} --train_engine cpu",
    "demo": f"demo --checkpoints_path sound {FOLDERS} --out {{}} --train_engine cpu",
    "stats": f"dataset stats {COUNTED}", "convert": f"dataset convert {COUNTED} --out {{}}",
    "augment": f"dataset augment {COUNTED} --out {{}}", "split": f"dataset split {COUNTED} --val 1 --out {{}}",
    "visualize": f"visualize_dataset {COUNTED} --out {{}}.png"}
# That read a run; each leaves at {} what is compared.
USERS = {
    "evaluate_model": f"evaluate_model --checkpoints_path run {FOLDERS} --json {{}} --train_engine cpu",
    "predict": "predict --checkpoints_path run --input_path images/0.png --ids --output_path {}.png",
    "export": "export --checkpoints_path run --format keras --out {}.keras",
    "demo": f"demo --checkpoints_path run {FOLDERS} --out {{}} --train_engine cpu"}


def write_pairs() -> None:
    """Noise, labelled by its brightness: all classes in every label."""
    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        Path(folder).mkdir()
    for i in range(PAIRS):
        label = rng.integers(0, CLASSES, (SIDE // 8, SIDE // 8), np.uint8).repeat(8, 0).repeat(8, 1)
        cv2.imwrite(f"images/{i}.png", np.dstack([label * 80 + rng.integers(0, 40, label.shape, np.uint8)] * 3))
        cv2.imwrite(f"labels/{i}.png", label)


def run(command: str) -> tuple[int, list[str], str]:
    """Return exit status, the lines that begin with our name and are no warning, and all of standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(command.split())
    lines = [line for line in err.getvalue().splitlines() if line.startswith("segnet-hpu: ")]
    return status, [line for line in lines if "warning:" not in line], err.getvalue()


def flipped(data: bytes, rng: Rng) -> bytes:
    """One bit altered."""
    at = int(rng.integers(len(data)))
    return data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1:]


def cut(data: bytes, rng: Rng) -> bytes:
    return data[:int(rng.integers(len(data)))]


def encoded(ending: str, *flags: int) -> Callable[[np.ndarray], bytes]:
    def encode(pixels: np.ndarray) -> bytes:
        written, data = cv2.imencode(ending, pixels, list(flags))
        if not written:
            raise cv2.error(f"no {pixels.dtype} in {ending}")
        return data.tobytes()

    return encode


def spoil_bytes(path: Path, rng: Rng) -> str:
    """Alter a file's bytes; return how."""
    ways = {"bit": flipped, "cut": cut, "empty": lambda data, rng: b"", "text": lambda data, rng: b"hello",
            "twice": lambda data, rng: data + data, "inserted": lambda data, rng: data[:50] + b"\0" + data[50:]}
    name = str(rng.choice(list(ways)))
    path.write_bytes(ways[name](path.read_bytes(), rng))
    return f"{name} of {path}"


def _pixels(rng: Rng) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """What may become of a picture's values."""
    return {"times 100": lambda a: a * 100, "0 and 255": lambda a: np.where(a > 0, 255, 0).astype(np.uint8),
            "plus one": lambda a: a + 1, "16 bits": lambda a: a.astype(np.uint16) * 257, "zero": np.zeros_like,
            "smaller": lambda a: a[:int(rng.integers(1, SIDE))], "float": lambda a: a.astype(np.float32),
            "red": lambda a: np.dstack([a * 0, a * 0, a * 100]) if a.ndim == 2 else a,
            "grey in colour": lambda a: np.dstack([a] * 3) if a.ndim == 2 else a,
            "alpha": lambda a: np.dstack([*[a] * 3, a * 120]) if a.ndim == 2 else np.dstack([a, a[..., 0]]),
            "one pixel": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 5, np.uint8(200), a)}


def spoil_pixels(path: Path, rng: Rng) -> str:
    """Write a picture anew with other values or in another format, under its name or that format's; return how."""
    changes = _pixels(rng) | {"": lambda a: a}
    formats = {ending: encoded(ending) for ending in (".png", ".jpg", ".bmp", ".tif")}
    formats |= {"1 bit": encoded(".png", cv2.IMWRITE_PNG_BILEVEL, 1),
                ".webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 60)}
    change, form = str(rng.choice(list(changes))), str(rng.choice(list(formats)))
    try:
        data = formats[form](changes[change](cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))
    except cv2.error:
        return spoil_bytes(path, rng)
    if rng.random() < 0.5 and form.startswith("."):
        path.unlink()
        path = path.with_suffix(form)
    path.write_bytes(data)
    return f"{change or 'same values'} as {form} in {path}"


def spoil_folder(path: Path, rng: Rng) -> str:
    """Take a file away, double it or rename it; return how."""
    way = str(rng.choice(["gone", "another stem", "upper case", "two of a stem"]))
    if way == "gone":
        path.unlink()
    elif way == "two of a stem":
        shutil.copy(path, path.with_suffix(".bmp"))
    else:
        path.rename(path.with_suffix(".PNG") if way == "upper case" else path.with_name("other.png"))
    return f"{way}: {path}"


def labels(number: int) -> Iterator[str]:
    """Spoil one, two or all files of a kind; yield what is taken though verify_dataset refuses it."""
    rng = np.random.default_rng([0, number])
    for folder in ("images", "labels"):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path("first") / folder, folder)
    paths = sorted(Path(str(rng.choice(["labels", "labels", "images"]))).iterdir())
    spoil = (spoil_bytes, spoil_pixels, spoil_pixels, spoil_folder)[int(rng.integers(4))]
    seed = int(rng.integers(1 << 32))  # all files of a kind are spoilt alike
    how = [spoil(path, np.random.default_rng(seed)) for path in paths[:int(rng.choice([1, 2, PAIRS]))]]
    is_refused = run(f"verify_dataset {COUNTED}")[0] != 0
    COUNTS["refused" if is_refused else "accepted"] += 1
    for name, command in READERS.items() if is_refused else ():
        place = f"out/{number}_{name}"
        found, lines, err = run(command.format(place))
        if found == 0 or len(lines) != 1 and "found" not in err or "error of ours" in err or "Traceback" in err:
            yield f"{number} {name}: status {found} of {how[0]}; {err[-300:]}"


def digest(place: str) -> str:
    """Of what a command left, as far as it is the same for the same model."""
    for ending in ("", ".png"):
        if Path(place + ending).is_file():
            return hashlib.sha256(Path(place + ending).read_bytes()).hexdigest()
    folder = Path(place, "sheet.png")
    return hashlib.sha256(folder.read_bytes()).hexdigest() if folder.exists() else ""


def spoil_member(path: Path, rng: Rng) -> str:
    """Alter one member of a .keras file, which gets a right checksum again; return how."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = str(rng.choice([name for name in members if name.endswith(".json")]))
    words = json.dumps(json.loads(members[name])).split(" ")
    at = int(rng.integers(len(words)))
    words[at] = str(rng.choice(["null,", "-1,", "1e99,", '"x",', "{},", "[],", "99999999999999999999,", ""]))
    members[name] = " ".join(words).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return f"word {at} of {name}: {words[at]}"


def runs(number: int) -> Iterator[str]:
    """Spoil one file of a run; yield what ends neither with one line nor with the sound run's result."""
    rng = np.random.default_rng([1, number])
    shutil.rmtree("run", ignore_errors=True)
    shutil.copytree("sound", "run")
    paths = sorted(path for path in Path("run").rglob("*") if path.is_file() and "tensorboard" not in path.parts)
    checkpoints = [path for path in paths if path.suffix == ".keras"]
    if rng.random() < 0.5:
        seed = int(rng.integers(1 << 32))
        how = [spoil_member(path, np.random.default_rng(seed)) for path in checkpoints]
    else:
        one = paths[int(rng.integers(len(paths)))]
        how = [spoil_bytes(path, rng) for path in (checkpoints if rng.random() < 0.7 else [one])]
    for name, command in USERS.items():
        place = f"out/{number}_{name}"
        status, lines, err = run(command.format(place))
        COUNTS[f"{name} {'refused' if status else 'done'}"] += 1
        right = digest(place) == SOUND[name] if status == 0 else len(lines) == 1 and "error of ours" not in err
        if not right or "Traceback" in err:
            yield f"{number} {name}: status {status} of {how[0]}; {err[-300:]}"


def weights(kind: str, numbers: Sequence[int]) -> int:
    """Spoil a file of weights; return how many times neither a refusal nor weights came of it."""
    from weight_mutations import SpoiltWeights

    spoilt = SpoiltWeights(kind, spoil_bytes)
    for number in numbers:
        for outcome in spoilt.outcome(number):
            COUNTS[outcome] += 1
    wrong = [outcome for outcome in COUNTS if outcome[0].isdigit() and ": " in outcome]
    print(f"{len(numbers)} mutations of {kind}: {dict(sorted(COUNTS.items()))}; {len(wrong)} wrong")
    return len(wrong)


COUNTS: Counter[str] = Counter()
SOUND: dict[str, str] = {}


def measure(kind: str, numbers: Sequence[int]) -> int:
    """Make the sound data and run, and spoil copies; return how many results are wrong."""
    write_pairs()
    for folder in ("images", "labels"):
        shutil.copytree(folder, Path("first") / folder)
    status, _, err = run(TRAIN + "sound")
    assert status == 0, err
    os.mkdir("out")
    shutil.copytree("sound", "run")
    for name, command in USERS.items():
        assert run(command.format(f"out/sound_{name}"))[0] == 0, name
        SOUND[name] = digest(f"out/sound_{name}")
    wrong = 0
    for number in numbers:
        for line in (labels if kind == "labels" else runs)(number):
            print(line, flush=True)
            wrong += 1
    print(f"{len(numbers)} mutations of {kind}: {dict(sorted(COUNTS.items()))}; {wrong} wrong")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("labels", "run", "caffemodel", "vgg16"))
    parser.add_argument("--n", type=int, default=100, help="mutations")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        numbers = range(given.first, given.first + given.n)
        measured = measure if given.kind in ("labels", "run") else weights
        sys.exit(measured(given.kind, numbers) > 0)
