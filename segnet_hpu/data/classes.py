"""Names and colours of the classes of known data sets, and colours for any other.

Light on purpose: command lines read the names from here before anything heavy is imported.
"""

import colorsys
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from segnet_hpu.errors import UsageError, nearest

if TYPE_CHECKING:
    import numpy as np

Colour = tuple[int, int, int]  # red, green, blue, each 0..255
Palette = tuple[Colour, ...]
Entry = TypeVar("Entry")

MAX_CLASSES = 255  # labels are 8-bit and 255 means "ignore"

_COMMA_SEPARATED = {
    # SegNet's split of CamVid; void is ignored in training and scores.
    "camvid": "sky,building,pole,road,pavement,tree,sign_symbol,fence,car,pedestrian,bicyclist,void",
    # The 19 train ids.
    "cityscapes": "road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky,"
                  "person,rider,car,truck,bus,train,motorcycle,bicycle",
    "voc": "background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,diningtable,dog,horse,"
           "motorbike,person,pottedplant,sheep,sofa,train,tvmonitor",
    # SceneParse150 in its order.
    "ade20k": "wall,building,sky,floor,tree,ceiling,road,bed,windowpane,grass,cabinet,sidewalk,person,earth,"
              "door,table,mountain,plant,curtain,chair,car,water,painting,sofa,shelf,house,sea,mirror,rug,"
              "field,armchair,seat,fence,desk,rock,wardrobe,lamp,bathtub,railing,cushion,base,box,column,"
              "signboard,chest of drawers,counter,sand,sink,skyscraper,fireplace,refrigerator,grandstand,"
              "path,stairs,runway,case,pool table,pillow,screen door,stairway,river,bridge,bookcase,blind,"
              "coffee table,toilet,flower,book,hill,bench,countertop,stove,palm,kitchen island,computer,"
              "swivel chair,boat,bar,arcade machine,hovel,bus,towel,light,truck,tower,chandelier,awning,"
              "streetlight,booth,television,airplane,dirt track,apparel,pole,land,bannister,escalator,"
              "ottoman,bottle,buffet,poster,stage,van,ship,fountain,conveyer belt,canopy,washer,plaything,"
              "swimming pool,stool,barrel,basket,waterfall,tent,bag,minibike,cradle,oven,ball,food,step,"
              "tank,trade name,microwave,pot,animal,bicycle,lake,dishwasher,screen,blanket,sculpture,hood,"
              "sconce,vase,traffic light,tray,ashcan,fan,pier,crt screen,plate,monitor,bulletin board,"
              "shower,radiator,glass,clock,flag",
    "kitti_road": "background,road",
    # Category ids 1..182 in their order, things before stuff; 11 of the things never occur.
    "coco_stuff": "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,"
                  "street sign,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,"
                  "zebra,giraffe,hat,backpack,umbrella,shoe,eye glasses,handbag,tie,suitcase,frisbee,skis,"
                  "snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,"
                  "bottle,plate,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,"
                  "carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,mirror,dining table,window,"
                  "desk,toilet,door,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,"
                  "refrigerator,blender,book,clock,vase,scissors,teddy bear,hair drier,toothbrush,hair brush,"
                  "banner,blanket,branch,bridge,building-other,bush,cabinet,cage,cardboard,carpet,"
                  "ceiling-other,ceiling-tile,cloth,clothes,clouds,counter,cupboard,curtain,desk-stuff,dirt,"
                  "door-stuff,fence,floor-marble,floor-other,floor-stone,floor-tile,floor-wood,flower,fog,"
                  "food-other,fruit,furniture-other,grass,gravel,ground-other,hill,house,leaves,light,mat,"
                  "metal,mirror-stuff,moss,mountain,mud,napkin,net,paper,pavement,pillow,plant-other,plastic,"
                  "platform,playingfield,railing,railroad,river,road,rock,roof,rug,salad,sand,sea,shelf,"
                  "sky-other,skyscraper,snow,solid-other,stairs,stone,straw,structural-other,table,tent,"
                  "textile-other,towel,tree,vegetable,wall-brick,wall-concrete,wall-other,wall-panel,"
                  "wall-stone,wall-tile,wall-wood,water-other,waterdrops,window-blind,window-other,wood",
}
CLASS_NAMES: dict[str, tuple[str, ...]] = {name: tuple(names.split(",")) for name, names in _COMMA_SEPARATED.items()}
# As in ADE20K's own files, which count from 1 and use 0 for all else.
CLASS_NAMES["ade20k_raw"] = ("other", *CLASS_NAMES["ade20k"])
COCO_UNUSED = ("street sign", "hat", "shoe", "eye glasses", "plate", "mirror", "window", "desk", "door", "blender",
               "hair brush")
CLASS_NAMES["coco_stuff_171"] = tuple(name for name in CLASS_NAMES["coco_stuff"] if name not in COCO_UNUSED)


def voc_colour(index: int) -> Colour:
    """PASCAL VOC's colour map: the index's bits dealt to red, green and blue, highest bit first."""
    red, green, blue = (sum((index >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8))
                        for channel in range(3))
    return red, green, blue


def _from_hex(text: str) -> Palette:
    return tuple((red, green, blue) for red, green, blue in map(bytes.fromhex, text.split()))


def _generated_colour(index: int) -> Colour:
    """Hues a golden section apart, so that neighbours differ most; shades change with each round."""
    hue = index * 0.618034 % 1
    saturation = (0.9, 0.8, 0.6)[index // 5 % 3]
    value = (1.0, 0.65, 1.0, 0.85, 0.85)[index // 4 % 5]
    red, green, blue = (round(255 * channel) for channel in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue


# As published with each data set, RGB.
PALETTES: dict[str, Palette] = {
    "camvid": _from_hex(
        "808080 800000 c0c080 804080 3c28de 808000 c08080 404080 400080 404000 0080c0 000000"),
    "cityscapes": _from_hex(
        "804080 f423e8 464646 66669c be9999 999999 faaa1e dcdc00 6b8e23 98fb98 4682b4 dc143c ff0000 00008e "
        "000046 003c64 005064 0000e6 770b20"),
    "voc": tuple(voc_colour(index) for index in range(21)),
    "ade20k": _from_hex(
        "787878 b47878 06e6e6 503232 04c803 787850 8c8c8c cc05ff e6e6e6 04fa07 e005ff ebff07 96053d 787846 "
        "08ff33 ff0652 8fff8c ccff04 ff3307 cc4603 0066c8 3de6fa ff0633 0b66ff ff0747 ff09e0 0907e6 dcdcdc "
        "ff095c 7009ff 08ffd6 07ffe0 ffb806 0aff47 ff290a 07ffff e0ff08 6608ff ff3d06 ffc207 ff7a08 00ff14 "
        "ff0829 ff0599 0633ff eb0cff a09614 00a3ff 8c8c8c fa0a0f 14ff00 1fff00 ff1f00 ffe000 99ff00 0000ff "
        "ff4700 00ebff 00adff 1f00ff 0bc8c8 ff5200 00fff5 003dff 00ff70 00ff85 ff0000 ffa300 ff6600 c2ff00 "
        "008fff 33ff00 0052ff 00ff29 00ffad 0a00ff adff00 00ff99 ff5c00 ff00ff ff00f5 ff0066 ffad00 ff0014 "
        "ffb8b8 001fff 00ff3d 0047ff ff00cc 00ffc2 00ff52 000aff 0070ff 3300ff 00c2ff 007aff 00ffa3 ff9900 "
        "00ff0a ff7000 8fff00 5200ff a3ff00 ffeb00 08b8aa 8500ff 00ff5c b800ff ff001f 00b8ff 00d6ff ff0070 "
        "5cff00 00e0ff 70e0ff 46b8a0 a300ff 9900ff 47ff00 ff00a3 ffcc00 ff008f 00ffeb 85ff00 ff00eb f500ff "
        "ff007a fff500 0abed4 d6ff00 00ccff 1400ff ffff00 0099ff 0029ff 00ffcc 2900ff 29ff00 ad00ff 00f5ff "
        "4700ff 7a00ff 00ffb8 005cff b8ff00 0085ff ffd600 19c2c2 66ff00 5c00ff"),
    "kitti_road": _from_hex("ff0000 ff00ff"),
}
PALETTES["ade20k_raw"] = ((0, 0, 0), *PALETTES["ade20k"])
# None is published; both have the same colours for the same classes.
PALETTES["coco_stuff"] = tuple(map(_generated_colour, range(182)))
PALETTES["coco_stuff_171"] = tuple(colour for name, colour in zip(CLASS_NAMES["coco_stuff"], PALETTES["coco_stuff"],
                                                                  strict=True) if name not in COCO_UNUSED)


def palette(name: str | None, n_classes: int) -> "np.ndarray":
    """Return the colours of classes 0..n_classes-1 as uint8 (n_classes, 3), RGB.

    name: a key of PALETTES, colours "rrggbb,rrggbb,...", or None for generated colours, all different.
    n_classes: 1..255. Raises UsageError for an unknown name and for more classes than the palette has.

    >>> palette("voc", 2).tolist()
    [[0, 0, 0], [128, 0, 0]]
    """
    import numpy as np

    colours: Iterable[Colour] = map(_generated_colour, range(n_classes))
    if name:
        colours = _known(_palettes(name), name, n_classes)
    return np.array(list(colours), np.uint8).reshape(n_classes, 3)


def class_names(name: str | None, n_classes: int) -> list[str]:
    """Return the names of classes 0..n_classes-1 of a known data set, else "class 0", ...

    name: as for `palette`, colours have no names. Raises UsageError as `palette` does.

    >>> class_names("voc", 2)
    ['background', 'aeroplane']
    """
    if name is None or name in _palettes(name).keys() - PALETTES.keys():
        return [f"class {i}" for i in range(n_classes)]
    return list(_known(CLASS_NAMES, name, n_classes))


def split_names(text: str, n_classes: int) -> list[str]:
    """Return the names in "a,b,c"; raises UsageError unless there are n_classes, none of them empty."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != n_classes or not all(names):
        raise UsageError(f"--class_names {text!r} holds {sum(map(bool, names))} names; expected {n_classes}, "
                         "separated by commas, one a class")
    return names


def check_palette(name: str | None, n_classes: int) -> None:
    """Raise UsageError where a palette, as for `palette`, has fewer colours than there are classes."""
    if name and n_classes > (known := len(_palettes(name)[name])):
        raise UsageError(f"--palette {name} has {known} classes, --n_classes is {n_classes}; leave the palette out "
                         "for generated colours")


def parse_palette(text: str) -> str:
    """a known data set's name, or colours rrggbb,rrggbb,..."""
    if text not in _palettes(text):
        raise ValueError(f"known are {', '.join(PALETTES)}.{nearest(text, PALETTES)}")
    return text


def _palettes(name: str | None) -> Mapping[str, Palette]:
    """The known palettes, and the one that the colours in `name` are."""
    if name and re.fullmatch("[0-9a-fA-F]{6}(,[0-9a-fA-F]{6})*", name):
        return {**PALETTES, name: _from_hex(name.replace(",", " "))}
    return PALETTES


def _known(table: Mapping[str, Sequence[Entry]], name: str, n_classes: int) -> Sequence[Entry]:
    if name not in table:
        raise UsageError(f"palette {name!r} is unknown; expected one of {', '.join(table)}."
                         f"{nearest(name, table)}")
    entries = table[name]
    if n_classes > len(entries):
        raise UsageError(f"palette {name} has {len(entries)} classes but there are {n_classes}; "
                         "leave the palette out for generated colours")
    return entries[:n_classes]

