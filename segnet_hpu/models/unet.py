"""keras_segmentation's U-Nets by the names there: functions as those of all_models.model_from_name."""

from segnet_hpu.compat.keras_segmentation.models import model_from_name

unet_mini = model_from_name["unet_mini"]
unet = model_from_name["unet"]
vgg_unet = model_from_name["vgg_unet"]
resnet50_unet = model_from_name["resnet50_unet"]
mobilenet_unet = model_from_name["mobilenet_unet"]
