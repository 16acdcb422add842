"""keras_segmentation's PSPNets by the names there: functions as those of all_models.model_from_name."""

from segnet_hpu.compat.keras_segmentation.models import model_from_name

pspnet = model_from_name["pspnet"]
vgg_pspnet = model_from_name["vgg_pspnet"]
resnet50_pspnet = model_from_name["resnet50_pspnet"]
pspnet_50 = model_from_name["pspnet_50"]
pspnet_101 = model_from_name["pspnet_101"]
