"""How to predict: as it is, at several scales, mirrored, or by a sliding window. Settings, and the predictor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.config import option
from segnet_hpu.data.image_coding import ImageSettings
from segnet_hpu.errors import UsageError

if TYPE_CHECKING:
    import keras

    from segnet_hpu.inference.predictor import Predictor
    from segnet_hpu.models.trained_model import TrainedModel


def parse_scales(value: str | Sequence[float]) -> list[float]:
    """numbers above 0 and at most 4, separated by commas, such as 0.75,1,1.25"""
    scales = [float(part) for part in (value.split(",") if isinstance(value, str) else value)]
    if not scales or not all(math.isfinite(scale) and 0 < scale <= 4 for scale in scales):
        raise ValueError
    return scales


@dataclass(kw_only=True)
class PredictionSettings(ImageSettings):
    """The settings that commands which predict share."""

    tta: str = option("none", "flip: the mean of the picture and its mirror image", choices=("none", "flip"),
                      group="more exact, slower")
    scales: list | None = option(None, "predict at these factors of the network's input size, and take the mean",
                                 parse=parse_scales, group="more exact, slower")
    tile: bool = option(False, "slide a window of the network's size over large pictures, at their own scale",
                        group="more exact, slower")
    overlap: float = option(0.5, "of neighbouring windows, for --tile", minimum=0, maximum=0.9,
                            group="more exact, slower")

    def check(self) -> None:
        """Raise UsageError for settings that contradict each other."""
        if self.overlap != 0.5 and not self.tile:
            raise UsageError(f"--overlap {self.overlap} is of the windows of --tile; add --tile or leave it out")

    @property
    def is_plain(self) -> bool:
        """Whether none of them is asked for."""
        return not (self.tile or self.scales or self.tta != "none")

    def predictor(self, model: "keras.Model | TrainedModel", batch_size: int = 1) -> "Predictor":
        """Return the Predictor that they ask for. Raises UsageError for scales that the model cannot take."""
        from segnet_hpu.inference.predictor import Predictor
        from segnet_hpu.inference.test_time_augmentation import AugmentedPredictor
        from segnet_hpu.inference.tiled import TiledPredictor

        if self.scales or self.tta != "none":
            predictor: Predictor = AugmentedPredictor(model, batch_size, self.scales or (1.0,), self.tta == "flip")
        else:
            predictor = Predictor(model, batch_size)
        return TiledPredictor(predictor, self.overlap) if self.tile else predictor
