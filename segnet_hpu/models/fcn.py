"""keras_segmentation's FCNs by the names there: functions as those of all_models.model_from_name."""

from segnet_hpu.compat.keras_segmentation.models import model_from_name

fcn_8 = model_from_name["fcn_8"]
fcn_32 = model_from_name["fcn_32"]
fcn_8_vgg = model_from_name["fcn_8_vgg"]
fcn_32_vgg = model_from_name["fcn_32_vgg"]
fcn_8_resnet50 = model_from_name["fcn_8_resnet50"]
fcn_32_resnet50 = model_from_name["fcn_32_resnet50"]
fcn_8_mobilenet = model_from_name["fcn_8_mobilenet"]
fcn_32_mobilenet = model_from_name["fcn_32_mobilenet"]
