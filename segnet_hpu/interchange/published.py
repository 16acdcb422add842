"""Where the encoders' ImageNet weights are published. Imports nothing heavy."""

import os
from dataclasses import dataclass
from pathlib import Path

from segnet_hpu.data.download import fetch

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/"


@dataclass(frozen=True)
class Published:
    """A file of weights without the classifier, as Keras publishes it.

    size: bytes. md5: hex digest, where Keras states one. bgr: whether the network was trained on BGR.
    """

    url: str
    size: int
    md5: str | None = None
    bgr: bool = False

    def fetch(self) -> Path:
        """Return the path of the file, downloaded once into Keras' own cache ($KERAS_HOME or ~/.keras).

        Raises RunError if it cannot be had whole.
        """
        path = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models" / self.url.rsplit("/", 1)[1]
        return path if path.exists() else fetch(self.url, path, size=self.size, md5=self.md5)


PUBLISHED = {
    "vgg16": Published("https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
                       "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
                       58_889_256, "6d6bbae143d832006294945121d1f1fc", bgr=True),
    "resnet50": Published(KERAS + "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
                          94_765_736, "4d473c1dd8becc155b73f8504c6f6626", bgr=True),
    "resnet101": Published(KERAS + "resnet/resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5",
                           171_446_536, "88cf7a10940856eca736dc7b7e228a21", bgr=True),
    "mobilenet": Published(KERAS + "mobilenet/mobilenet_1_0_224_tf_no_top.h5", 17_225_924),
    "mobilenet_v2": Published(
        KERAS + "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5", 9_406_464),
    "xception": Published(KERAS + "xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
                          83_683_744, "b0042744bf5b25fce3cb969f33bebb97"),
    "efficientnet": Published("https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5",
                              16_705_208, "50bc09e76180e00e4465e1a485ddc09d"),
}
