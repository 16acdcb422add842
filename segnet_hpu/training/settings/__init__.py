"""Everything that can be set about a training run; flags, YAML keys and Python arguments alike."""

from dataclasses import dataclass, fields

from segnet_hpu.fields import keys
from segnet_hpu.training.settings.configuration import Configuration
from segnet_hpu.training.settings.data import Data
from segnet_hpu.training.settings.device import Device
from segnet_hpu.training.settings.model import Model
from segnet_hpu.training.settings.output import Output
from segnet_hpu.training.settings.training import Training
from segnet_hpu.training.settings.workers import Workers


@dataclass(kw_only=True)
class Settings(Output, Workers, Device, Training, Data, Model, Configuration):
    """Train a segmentation model."""

    def __post_init__(self) -> None:
        # From Python, components may come by name: Settings(loss="dice").
        for name, key in keys(type(self)).items():
            if key.registry and not key.users:
                setattr(self, name, key.convert(getattr(self, name), name))


# A run that goes on must know of every setting whether it may be another.
_unclassified = [field.name for field in fields(Settings) if field.metadata["option"].changes is None]
assert not _unclassified, f"say by option(..., changes=...) what another value changes: {_unclassified}"
