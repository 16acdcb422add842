"""Train, judge and ship semantic-segmentation networks on Gaudi, GPU or CPU."""

import os

from segnet_hpu import tensorflow_log

__version__ = "0.1.0"

# Keras reads this once, at its first import; a user's own choice stands.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

tensorflow_log.silence()
