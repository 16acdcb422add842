"""Writes what keras_segmentation's models hold and answer, for others to compare with.

usage: DIR/bin/python benchmarks/keras_segmentation_models.py count
       DIR/bin/python benchmarks/keras_segmentation_models.py answer OUT.npz NAME HEIGHT WIDTH
DIR is made by setup_keras_segmentation.sh. `count` prints {name: parameters} at 12 classes as JSON. `answer`
gives the model random weights from a seed and writes them, as LAYER:INDEX, with `image`, a random normalised
image, and `output`, the softmax (H, W, 12) for it.
"""

import json
import sys
import types

import keras
import numpy as np

N_CLASSES = 12


def main():
    # Two names that Keras has moved and the release 0.3.0 still looks for, and the download that it starts.
    sys.modules["keras.layers.merge"] = types.SimpleNamespace(Concatenate=keras.layers.Concatenate,
                                                              Add=keras.layers.Add)
    keras.utils.get_file = lambda *args, **kwargs: None
    keras.Model.load_weights = lambda *args, **kwargs: None
    from keras_segmentation.models.all_models import model_from_name

    if sys.argv[1] == "count":
        counts = {}
        for name, make in model_from_name.items():
            # The package's own default size for these two is one that its MobileNet refuses.
            size = {"input_height": 224, "input_width": 224} if "mobilenet" in name else {}
            counts[name] = make(N_CLASSES, **size).count_params()
            keras.backend.clear_session()
        print(json.dumps(counts))
    else:
        out, name, height, width = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
        answer(out, model_from_name[name](N_CLASSES, input_height=height, input_width=width))


def answer(out, model):
    image = np.random.default_rng(1).normal(0, 60, (1, *model.input_shape[1:])).astype(np.float32)
    randomise(model, image)
    arrays = {f"{layer.name}:{i}": w for layer in model.layers for i, w in enumerate(layer.get_weights())}
    output = model.predict(image, verbose=0).reshape(model.output_height, model.output_width, N_CLASSES)
    np.savez(out, image=image, output=output, **arrays)


def randomise(model, image):
    """Give every weight a value of its own, such that signals keep their size and the logits spread by 2."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) if is_norm else rng.normal(0, 0.1, w.shape)
                           if len(w.shape) == 1 else rng.normal(0, np.sqrt(2 / np.prod(w.shape[:-1])), w.shape)
                           for w in layer.weights])
        if is_norm:
            layer.momentum = 0.0  # one pass in training sets the moving statistics to the image's
    model(image, training=True)
    last = [layer for layer in model.layers if layer.weights][-1]
    logits = keras.Model(model.input, model.layers[-2].output)(image)
    last.set_weights([w * 2 / np.std(logits) for w in last.get_weights()])


if __name__ == "__main__":
    main()
