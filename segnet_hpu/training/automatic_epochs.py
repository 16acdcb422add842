"""`--epochs auto`: as many as are usual for a data set."""

import dataclasses

# Those of pytorch-deeplab-xception for COCO, Cityscapes and VOC; of FCN-8s for KITTI Road; 60 passes over ADE20K
# are the usual 80,000 steps of 16 images.
EPOCHS = {"coco_stuff": 30, "coco_stuff_171": 30, "coco_instances": 30, "cityscapes": 200, "voc": 50, "camvid": 200,
          "kitti_road": 80, "ade20k": 60}
STEPS = 20_000  # of any other data set


def resolve_epochs(settings, steps_per_epoch):
    """Return the settings with a number for `epochs`."""
    if settings.epochs != "auto":
        return settings
    usual = EPOCHS.get(settings.dataset)
    return dataclasses.replace(settings, epochs=usual or -(-STEPS // steps_per_epoch))
