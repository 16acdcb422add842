"""Writes what keras_segmentation's models hold and answer, for others to compare with.

usage: DIR/bin/python benchmarks/keras_segmentation_models.py count
       DIR/bin/python benchmarks/keras_segmentation_models.py answer OUT.npz NAME HEIGHT WIDTH
       DIR/bin/python benchmarks/keras_segmentation_models.py checkpoint PREFIX IMAGES LABELS NAME:HEIGHT:WIDTH ...
DIR is made by setup_keras_segmentation.sh. `count` prints {name: parameters} at 12 classes as JSON. `answer`
gives the model random weights from a seed and writes them, as LAYER:INDEX, with `image`, a random normalised
image, and `output`, the softmax (H, W, 12) for it. `checkpoint` trains each model for a step on two folders, and
leaves PREFIX/NAME_config.json, the weights PREFIX/NAME.0 in TensorFlow's format and PREFIX/h5/NAME.0 in HDF5, and
PREFIX/NAME.npz: for each image by its file's name the class map and, as NAME:softmax, what `predict` returned.
"""

import glob
import json
import os
import shutil
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
    elif sys.argv[1] == "checkpoint":
        folder, images, labels, *names = sys.argv[2:]
        for name in names:
            name, height, width = name.split(":")
            model = model_from_name[name](N_CLASSES, input_height=int(height), input_width=int(width))
            checkpoint(os.path.join(folder, name), images, labels, model)
            keras.backend.clear_session()
    else:
        out, name, height, width = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
        answer(out, model_from_name[name](N_CLASSES, input_height=height, input_width=width))


def answer(out, model):
    image = np.random.default_rng(1).normal(0, 60, (1, *model.input_shape[1:])).astype(np.float32)
    randomise(model, image)
    arrays = {f"{layer.name}:{i}": w for layer in model.layers for i, w in enumerate(layer.get_weights())}
    output = model.predict(image, verbose=0).reshape(model.output_height, model.output_width, N_CLASSES)
    np.savez(out, image=image, output=output, **arrays)


def checkpoint(prefix, images, labels, model):
    from keras_segmentation.data_utils.data_loader import get_image_array

    def array(path):
        return get_image_array(path, model.input_width, model.input_height, ordering="channels_last")[None]

    paths = sorted(glob.glob(os.path.join(images, "*.png")))
    randomise(model, array(paths[0]))
    model.train(images, labels, verify_dataset=False, checkpoints_path=prefix, epochs=1, batch_size=1,
                steps_per_epoch=1, optimizer_name="adam")
    hdf5 = os.path.join(os.path.dirname(prefix), "h5", os.path.basename(prefix))
    os.makedirs(os.path.dirname(hdf5), exist_ok=True)
    shutil.copy(prefix + "_config.json", hdf5 + "_config.json")
    model.save_weights(hdf5 + ".0", save_format="h5")
    answers = {}
    for path in paths:
        answers[os.path.basename(path)] = model.predict_segmentation(path)
        answers[os.path.basename(path) + ":softmax"] = model.predict(array(path), verbose=0)[0]
    np.savez(prefix + ".npz", **answers)


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
