"""COCO-Stuff's pixel maps of COCO 2017, with all 182 category ids or the 171 that occur."""

from segnet_hpu.constants import VOID
from segnet_hpu.data.colours import Classes, generated_colour
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split

# Category ids 1..182 in their order, things before stuff; 11 of the things never occur. No colours are published.
CLASSES = Classes.parse(
    "coco_stuff",
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,"
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
    tuple(map(generated_colour, range(182))))
_UNUSED = ("street sign", "hat", "shoe", "eye glasses", "plate", "mirror", "window", "desk", "door",
           "blender", "hair brush")
_USED = [i for i, name in enumerate(CLASSES.names) if name not in _UNUSED]
# The 80 objects and 91 stuff classes that occur, in the same order, with the same colours.
CLASSES_171 = Classes("coco_stuff_171", tuple(CLASSES.names[i] for i in _USED),
                      tuple(CLASSES.colours[i] for i in _USED))

_MAPS = {split: Split(f"{split}2017/*.jpg", f"stuffthingmaps/{split}2017/*.png") for split in ("train", "val")}
# A map's value is the category id less 1; https://github.com/nightrome/cocostuff
STUFF = DataSet("coco_stuff", CLASSES.names, "coco_stuff", _MAPS, ids={**{i: i for i in range(182)}, 255: VOID})
STUFF_171 = DataSet("coco_stuff_171", CLASSES_171.names, "coco_stuff_171", _MAPS,
                    ids={**{value: i for i, value in enumerate(_USED)}, 255: VOID})
