"""The schedules that Keras lacks, as it saves them with an optimizer."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule


@keras.saving.register_keras_serializable("segnet_hpu")
class Constant(LearningRateSchedule):
    """The same rate at every step."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def __call__(self, step: Any) -> Any:
        return ops.convert_to_tensor(self.learning_rate, "float32")

    def get_config(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate}


@keras.saving.register_keras_serializable("segnet_hpu")
class WarmUp(LearningRateSchedule):
    """`schedule`, put off by `steps` >= 1 in which the rate rises evenly to schedule(0).

    rate(t) = schedule(0) * (t + 1) / (steps + 1) for t < steps, then schedule(t - steps).
    Goyal et al. 2017, gradual warm-up.
    """

    def __init__(self, schedule: LearningRateSchedule, steps: int) -> None:
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        share = ops.minimum((step + 1.0) / (self.steps + 1.0), 1.0)
        return share * self.schedule(ops.maximum(step - self.steps, 0.0))

    def get_config(self) -> dict[str, Any]:
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "steps": self.steps}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "WarmUp":
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["steps"])
