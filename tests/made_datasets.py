"""Small data sets in their official layouts, with images of noise and labels given or drawn at random."""

import json
import struct
import zlib

import cv2
import numpy as np

RNG = np.random.default_rng(0)


def write(path, pixels):
    """Write RGB (H, W, 3) or grey (H, W) pixels; make the folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)


def noise(size):
    """An image of this (height, width)."""
    return RNG.integers(0, 256, (*size, 3), np.uint8)


def values(size, *some):
    """A label of this size in which each of these values occurs."""
    label = RNG.choice(np.array(some), size)
    label.flat[:len(some)] = some
    return label.astype(np.uint8)


def cityscapes(root, splits=("train", "val"), n=1):
    """n pairs of each of two cities in each split, with every label id, and files of other kinds; sizes differ."""
    for split in splits:
        for city, size in (("aachen", (32, 64)), ("bonn", (24, 40))):
            for i in range(n):
                stem = f"{city}_{i:06}_000019"
                write(root / f"leftImg8bit/{split}/{city}/{stem}_leftImg8bit.png", noise(size))
                label = root / f"gtFine/{split}/{city}/{stem}_gtFine"
                write(label.with_name(f"{label.name}_labelIds.png"), values(size, *range(34), 255))
                write(label.with_name(f"{label.name}_color.png"), noise(size))
                label.with_name(f"{label.name}_polygons.json").write_text("{}")
    return root


def palette_png(indices):
    """The bytes of a PNG whose samples are indices into a coloured palette, as PASCAL VOC has them."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = indices.shape
    rows = b"".join(b"\0" + row.tobytes() for row in indices)
    colours = RNG.integers(0, 256, 768, np.uint8).tobytes()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)) + chunk(
        b"PLTE", colours) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def voc(root, train=("b", "a"), val=("c",)):
    """Pairs by list; one more image and one more label stand in no list."""
    for stem in (*train, *val, "unlisted"):
        write(root / f"JPEGImages/{stem}.jpg", noise((20, 30)))
        (root / "SegmentationClass").mkdir(exist_ok=True)
        (root / f"SegmentationClass/{stem}.png").write_bytes(palette_png(values((20, 30), *range(21), 255)))
    lists = root / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    for split, stems in (("train", train), ("val", val), ("trainval", train + val)):
        (lists / f"{split}.txt").write_text("".join(f"{stem}\n" for stem in stems))
    return root


def coco_images(root, *sizes, split="val"):
    """Images 1, 2, ... of these sizes; return COCO's list of them."""
    listed = []
    for i, size in enumerate(sizes, 1):
        write(root / f"{split}2017/{i:012}.jpg", noise(size))
        listed.append({"id": i, "file_name": f"{i:012}.jpg", "height": size[0], "width": size[1], "license": 1})
    return listed


def instances(root, images, annotations, split="val"):
    """annotations/instances_val2017.json."""
    (root / "annotations").mkdir(exist_ok=True)
    (root / f"annotations/instances_{split}2017.json").write_text(json.dumps(
        {"info": {"year": 2017}, "licenses": [{"id": 1}], "images": images, "annotations": annotations,
         "categories": [{"id": 1, "name": "person"}]}))
    return root


def kitti(root, n, colours=((255, 0, 255), (255, 0, 0), (0, 0, 0))):
    """n pairs, and the lane labels that lie beside those of the road."""
    palette = np.array(colours, np.uint8)
    for i in range(n):
        kind, size = ("um", "umm", "uu")[i % 3], (15 + i % 2, 50)
        write(root / f"training/image_2/{kind}_{i:06}.png", noise(size))
        write(root / f"training/gt_image_2/{kind}_road_{i:06}.png", palette[values(size, *range(len(colours)))])
        write(root / f"training/gt_image_2/um_lane_{i:06}.png", noise(size))
    return root
