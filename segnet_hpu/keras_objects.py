"""Import this, and `keras.saving.load_model` knows the losses, layers, schedules and metrics of ours.

    import segnet_hpu.keras_objects

    model = keras.saving.load_model("best.keras")  # as Keras' ModelCheckpoint writes it, compiled
"""

import segnet_hpu.models.layers
import segnet_hpu.objectives.accuracy
import segnet_hpu.objectives.keras_schedules  # noqa: F401
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import SegmentationLoss

losses.components()  # which imports their modules
SegmentationLoss.register_all()
