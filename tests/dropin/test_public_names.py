"""What is public in keras_segmentation 0.3.0 is here by the same path, or docs/migrating.md says what serves."""

import importlib
import re
from pathlib import Path

import pytest

GUIDE = (Path(__file__).resolve().parents[2] / "docs/migrating.md").read_text()
PUBLIC = {
    "cli_interface": "main train_action",
    "data_utils.augmentation": "augment_seg",
    "data_utils.data_loader": "DATA_LOADER_SEED DataLoaderError class_colors get_image_array get_pairs_from_paths "
                              "get_segmentation_array image_segmentation_generator verify_segmentation_dataset",
    "data_utils.visualize_dataset": "visualize_segmentation_dataset visualize_segmentation_dataset_one",
    "metrics": "get_iou",
    "models._pspnet_2": "_pspnet_2",
    "models.all_models": "model_from_name",
    "models.basic_models": "vanilla_encoder",
    "models.config": "IMAGE_ORDERING",
    "models.fcn": "crop fcn_8 fcn_32 fcn_8_vgg fcn_32_vgg fcn_8_resnet50 fcn_32_resnet50 fcn_8_mobilenet "
                  "fcn_32_mobilenet",
    "models.mobilenet": "get_mobilenet_encoder",
    "models.model": "Model",
    "models.model_utils": "get_segmentation_model resize_image transfer_weights",
    "models.pspnet": "pool_block pspnet vgg_pspnet resnet50_pspnet pspnet_50 pspnet_101",
    "models.resnet50": "get_resnet50_encoder",
    "models.segnet": "segnet_decoder segnet vgg_segnet resnet50_segnet mobilenet_segnet",
    "models.unet": "unet_mini unet vgg_unet resnet50_unet mobilenet_unet",
    "models.vgg16": "get_vgg_encoder",
    "predict": "concat_lenends evaluate get_colored_segmentation_image get_legends model_from_checkpoint_path "
               "overlay_seg_image predict predict_multiple visualize_segmentation",
    "pretrained": "pspnet_50_ADE_20K pspnet_101_cityscapes pspnet_101_voc12 resnet_pspnet_VOC12_v0_1",
    "train": "CheckpointsCallback find_latest_checkpoint masked_categorical_crossentropy train",
}


def held(module):
    """The names of a module of ours; none where there is no such module."""
    try:
        return vars(importlib.import_module(f"segnet_hpu.{module}"))
    except ModuleNotFoundError:
        return {}


@pytest.mark.parametrize("module", PUBLIC)
def test_a_public_name_is_here_or_the_guide_says_what_is(module):
    _, _, not_here = GUIDE.partition("## Not here")
    table, _, _ = not_here.partition("\n## ")
    rows = [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| ")]
    for name in PUBLIC[module].split():
        told = any(module in row and re.search(rf"[`.]{name}`", row) for row in rows)
        assert told != (name in held(module)), f"{module}.{name}"
