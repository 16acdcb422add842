"""keras_segmentation's SegNets by the names there: functions as those of all_models.model_from_name."""

from segnet_hpu.compat.keras_segmentation.models import model_from_name

segnet = model_from_name["segnet"]
vgg_segnet = model_from_name["vgg_segnet"]
resnet50_segnet = model_from_name["resnet50_segnet"]
mobilenet_segnet = model_from_name["mobilenet_segnet"]
