"""A training's word to the search that started it."""

import keras


class Reporter(keras.callbacks.Callback):
    """After every epoch sends ("epoch", its number, its validation mean IoU), and stops where the answer is true."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    def on_epoch_end(self, epoch, logs=None):
        self.pipe.send(("epoch", epoch + 1, logs["val_mean_iou"] or 0.0))
        if self.pipe.recv():
            self.model.stop_training = True
