"""Train, judge and ship semantic-segmentation networks on Gaudi, GPU or CPU."""

import os

__version__ = "0.1.0"

# Keras reads this once, at its first import; a user's own choice stands.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# TensorFlow's start-up notes are no news to a user; errors still show.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
