"""Wrong calls: refused in one line before anything heavy is imported, and nothing is written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from judging import DISTRIBUTED, EVALUATE, PREDICT, TRAIN, VERIFY, VISUALIZE

ROOT = Path(__file__).resolve().parents[2]

# An executable that no refused command gets to run.
ELASTIC = DISTRIBUTED + "--min_workers 2 --host_discovery_script /bin/true "

CAMVID = "train --model_name vgg_segnet --dataset camvid --data_root . "
VALIDATED = TRAIN + "--validate --val_images images --val_annotations labels "

# Name -> (command, words of the line).
FLAGS = {
    "unknown command": ("trian", "unknown command 'trian'", "Did you mean train?", "--help"),
    "flag for a command": ("--epochs 3", "unknown command '--epochs'"),
    "unknown flag": (TRAIN + "--epoch 3", "unknown flag --epoch.", "Did you mean --epochs?"),
    "abbreviated flag": (TRAIN + "--val_image images", "unknown flag --val_image.", "--val_images"),
    "flag of another command": (PREDICT + "--epochs 3", "unknown flag --epochs"),
    "argument without flag": (TRAIN + "images", "unknown argument images"),
    "flag without value": (TRAIN + "--epochs", "--epochs", "expected one argument"),
    "empty value": (TRAIN + "--epochs=", "--epochs is ''", "a whole number of at least 1"),
    "required flags": ("train --n_classes 2", "train needs --model_name"),
    "neither folders nor data set": ("train --model_name vgg_segnet --n_classes 2",
                                     "--train_images, --train_annotations must", "--dataset and --data_root"),
    "no folder to verify": ("verify_dataset --images_path images", "--segs_path, --n_classes", "--dataset"),
    "no folder to judge on": ("evaluate_model --checkpoints_path m", "--images_path, --segs_path", "--dataset"),
    "data set": (CAMVID.replace("camvid", "camvit"), "'camvit' is unknown", "Did you mean camvid?"),
    "no place of the data set": (CAMVID.replace("--data_root .", ""), "camvid needs --data_root"),
    "place of no data set": (TRAIN + "--data_root .", "--data_root", "--dataset"),
    "folders and data set": (TRAIN + "--dataset camvid --data_root .", "--train_images", "--dataset camvid"),
    "other classes than the data set's": (CAMVID + "--n_classes 12", "--n_classes is 12", "camvid has 11"),
    "data set without classes": (CAMVID.replace("camvid", "folder"), "--dataset folder needs --n_classes"),
    "split": (CAMVID + "--train_split tran", "no split 'tran'", "train, val, test", "Did you mean train?"),
    "split of folders to judge on": (EVALUATE + "--split test", "--split test is a part of a --dataset"),
    "split of folders to draw": (VISUALIZE + "--split train", "--split train is a part of a --dataset"),
    "split of folders to verify": (VERIFY + "--split val", "--split val is a part of a --dataset"),
    "split of folders to count": (VERIFY.replace("verify_dataset", "dataset stats") + "--split val",
                                  "--split val is a part of a --dataset"),
    "split of folders to train on": (TRAIN + "--train_split trainval", "--train_split trainval is a part of"),
    "split of folders to validate on": (TRAIN + "--val_split test", "--val_split test is a part of a --dataset"),
    "data set of no module": (CAMVID.replace("camvid", "nowhere:DATA"), "nowhere:DATA", "MODULE:NAME"),
    "required flags of predict": ("predict --input_path images", "--checkpoints_path, --output_path"),
    "none for a required number": (TRAIN + "--n_classes none", "--n_classes must be given"),
    "word for a number": (TRAIN + "--epochs ten", "--epochs is 'ten'", "a whole number of at least 1"),
    "fraction for a whole number": (TRAIN + "--epochs 1.5", "--epochs is '1.5'", "a whole number"),
    "no number": (TRAIN + "--learning_rate nan", "--learning_rate is 'nan'", "a number of at least 0"),
    "too large a number": (TRAIN + "--learning_rate 1e999", "--learning_rate is '1e999'", "a number"),
    "neither true nor false": (TRAIN + "--validate maybe", "--validate is 'maybe'", "true or false"),
    "zero epochs": (TRAIN + "--epochs 0", "--epochs is 0", "at least 1"),
    "negative batch": (TRAIN + "--batch_size -2", "--batch_size is -2", "at least 1"),
    "too many classes": (TRAIN + "--n_classes 256", "--n_classes is 256", "at most 255"),
    "ignore label past 8 bits": (TRAIN + "--ignore_label 256", "--ignore_label is 256", "at most 255"),
    "seed past 32 bits": (TRAIN + "--seed 4294967296", "--seed is 4294967296", "at most 4294967295"),
    "no batch": (PREDICT + "--batch_size 0", "--batch_size is 0", "at least 1"),
    "one class": (TRAIN + "--n_classes 1", "--n_classes is 1", "such as 2 for one class and its background"),
    "one class of labels": (VERIFY + "--n_classes 1", "--n_classes is 1", "2 for one class and its background"),
    "one class drawn": (VISUALIZE + "--n_classes 1", "--n_classes is 1", "2 for one class and its background"),
    "no class": (VERIFY + "--n_classes 0", "--n_classes is 0", "at least 2"),
    "no scene": ("sample_data --out new --n 0", "--n is 0", "at least 2"),
    "tiny scenes": ("sample_data --out new --height 8", "--height is 8", "at least 32"),
    "doctor takes no argument": ("doctor now", "unknown argument now"),
    "doctor's flag": ("doctor --jsn", "unknown flag --jsn.", "Did you mean --json?"),

    "model": (TRAIN + "--model_name vgg_segnt", "'vgg_segnt'", "Did you mean vgg_segnet?"),
    "model's parts": (TRAIN + "--model_name vgg16_deeplab", "'vgg16_deeplab'", "Did you mean", "ENCODER_DECODER"),
    "model without upsampling": (TRAIN + "--model_name fcn_8 --use_upsampling false", "--use_upsampling", "fcn_8"),
    "loss": (TRAIN + "--loss dise", "--loss is 'dise'", "ce, weighted_ce", "Did you mean dice?"),
    "optimizer": (TRAIN + "--optimizer_name adm", "--optimizer_name is 'adm'", "Did you mean adam?"),
    "schedule": (TRAIN + "--lr_schedule cos", "--lr_schedule is 'cos'", "Did you mean cosine?"),
    "palette": (TRAIN + "--palette camvd", "--palette is 'camvd'", "Did you mean camvid?"),
    "precision": (TRAIN + "--data_type fp16", "--data_type is 'fp16'", "fp32, bf16, amp"),
    "device": (TRAIN + "--train_engine tpu", "--train_engine is 'tpu'", "auto, hpu, gpu, cpu"),
    "loss type": (TRAIN + "--loss_type 3", "--loss_type is 3", "0, 1, 2"),
    "augmentation": (TRAIN + "--augmentation_name aug_al", "'aug_al'", "Did you mean aug_all?"),
    "augmentation field": (TRAIN + "--augmentation_name standard,rotat=5", "'rotat'", "Did you mean rotate?"),
    "augmentation value": (TRAIN + "--augmentation_name standard,rotate=x", "rotate is 'x'", "one number"),
    "augmentation range": (TRAIN + "--augmentation_name standard,rotate=500", "500", "0 to 180 degrees"),
    "augmentation nan": (TRAIN + "--augmentation_name flip,scale=nan:2", "scale is 'nan:2'", "two numbers"),
    "augmentation pair": (TRAIN + "--augmentation_name flip,scale=2", "scale is '2'", "two numbers"),

    "augmentation that is not": (TRAIN + "--augmentation_name flip", "--augmentation_name flip", "--do_augment"),
    "augmentation option that is not": (TRAIN + "--augmentation_name.flip 0", "--augmentation_name.flip changes",
                                        "--do_augment"),
    "augmentation not drawn": (VISUALIZE + "--augmentation_name flip", "--augmentation_name flip", "--do_augment"),
    "encoder that a checkpoint overwrites": (TRAIN + "--encoder_weights imagenet --load_weights m.keras",
                                             "--encoder_weights imagenet would be overwritten by --load_weights"),
    "encoder beside a start": (TRAIN + "--encoder_weights hed --init_from m.keras", "--encoder_weights hed",
                               "--init_from"),
    "size of no cache": (TRAIN + "--not_cached --cache_mb 5", "--cache_mb does not go with --not_cached"),
    "smoothing of all": (TRAIN + "--label_smoothing 1", "--label_smoothing is 1", "below 1"),

    "height": (TRAIN + "--input_height 40", "--input_height is 40", "multiples of 16", "32 or 48"),
    "width below the least": (TRAIN + "--input_width 9", "--input_width is 9", "multiples of 16", "16"),
    "too few weights": (TRAIN + "--class_weights 1", "--class_weights has 1", "expected 2, one a class"),
    "negative weight": (TRAIN + "--class_weights=-1,1", "--class_weights is '-1,1'", "not negative"),
    "weight that is no number": (TRAIN + "--class_weights 1,x", "--class_weights is '1,x'", "one number a class"),
    "weight nan": (TRAIN + "--class_weights 1,nan", "--class_weights is '1,nan'", "finite"),
    "only zero weights": (TRAIN + "--class_weights 0,0", "--class_weights", "above 0"),
    "weighted loss without weights": (TRAIN + "--loss weighted_ce", "--loss weighted_ce needs --class_weights"),
    "weights of lovasz": (TRAIN + "--loss lovasz --class_weights 1,2", "--class_weights", "--loss lovasz"),
    "smoothing of dice": (TRAIN + "--loss dice --label_smoothing 0.1", "--label_smoothing", "--loss dice"),
    "power of ce": (TRAIN + "--focal_gamma 2", "--focal_gamma does not go with --loss ce; expected --loss focal"),
    "squares of lovasz": (TRAIN + "--loss lovasz --dice_squared", "--dice_squared", "expected --loss dice, ce_dice"),
    "pixels of ce": (TRAIN + "--loss_smooth 1", "--loss_smooth", "expected --loss dice, ce_dice"),
    "threshold of focal": (TRAIN + "--loss focal --ohem_threshold 0.5", "--ohem_threshold", "expected --loss ohem"),
    "share of ce": (TRAIN + "--ohem_keep 0.5", "--ohem_keep does not go with --loss ce"),
    "threshold that keeps nothing": (TRAIN + "--loss ohem --ohem_threshold 0", "--ohem_threshold is 0", "above 0"),
    "share above one": (TRAIN + "--loss ohem --ohem_keep 2", "--ohem_keep is 2", "at most 1"),
    "power of a constant": (TRAIN + "--poly_power 2", "--poly_power does not go with --lr_schedule constant", "poly"),
    "momentum of Adam": (TRAIN + "--momentum 0.5", "--momentum does not go with --optimizer_name adam", "sgd"),
    "drops of poly": (TRAIN + "--lr_schedule poly --step_gamma 0.5", "--step_gamma", "expected --lr_schedule step"),
    "end of step": (TRAIN + "--lr_schedule step --final_rate 0.1", "--final_rate", "--lr_schedule poly, cosine"),
    "drops told twice": (TRAIN + "--lr_schedule step --step_every 1 --step_at 0.5", "--step_every and --step_at"),
    "drops that fall": (TRAIN + "--lr_schedule step --step_at 0.7,0.5", "--step_at is '0.7,0.5'", "0.5,0.75"),
    "drops at every moment": (TRAIN + "--lr_schedule step --step_every 0", "--step_every is 0", "above 0"),
    "decoder that stands still": (TRAIN + "--decoder_rate 0", "--decoder_rate is 0", "above 0"),
    "negative penalty": (TRAIN + "--l2=-1", "--l2 is -1", "at least 0"),
    "epochs by word": (TRAIN + "--epochs automatic", "--epochs is 'automatic'", "of at least 1, or auto"),
    "monitor": (TRAIN + "--monitor val_mean_io", "--monitor is 'val_mean_io'", "Did you mean val_mean_iou?"),
    "monitor of no class": (TRAIN + "--monitor val_iou_road --class_names sky,rode", "Did you mean val_iou_rode?"),
    "monitor without validation": (TRAIN + "--monitor val_loss", "--monitor val_loss needs --validate"),
    "loss type of dice": (TRAIN + "--loss dice --loss_type 1", "--loss_type", "--loss dice"),
    "too few names": (TRAIN + "--class_names road", "--class_names 'road'", "1 names; expected 2"),
    "empty name": (TRAIN + "--class_names road,", "--class_names 'road,'", "expected 2"),
    "palette too small": (TRAIN + "--palette kitti_road --n_classes 3", "kitti_road", "2 classes", "3"),
    "warm-up of all epochs": (TRAIN + "--warmup_epochs 1", "--warmup_epochs is 1 of 1"),
    "no learning": (TRAIN + "--learning_rate 0", "--learning_rate is 0", "above 0"),
    "average that never moves": (TRAIN + "--ema 1", "--ema is 1", "between 0 and 1"),
    "clipping to nothing": (TRAIN + "--clipnorm 0", "--clipnorm is 0", "above 0"),
    "momentum without end": (TRAIN + "--optimizer_name sgd --momentum 1", "--momentum is 1", "below 1"),
    "more stages than there are": (TRAIN + "--freeze_stages 6", "--freeze_stages is 6", "5"),
    "validation without folders": (TRAIN + "--validate", "--validate needs --val_images"),
    "validation without labels": (TRAIN + "--validate --val_images images", "needs --val_annotations"),
    "validation half named": (TRAIN + "--val_annotations labels", "--validate needs --val_images"),
    "unknown score": (TRAIN + "--val_metrics boundary,raod", "--val_metrics is 'boundary,raod'", "boundary, road",
                      "'raod' is unknown", "Did you mean road?"),
    "unknown score of evaluate": (EVALUATE + "--metrics f1", "--metrics is 'f1'", "boundary, road"),
    "curve without road": (EVALUATE + "--metrics boundary --curve c.png", "--curve", "--metrics road"),
    "curve of text": (EVALUATE + "--metrics road --curve c.txt", "--curve c.txt", ".png or .jpg"),
    "scores without validation": (TRAIN + "--val_metrics boundary", "--val_metrics needs --validate"),
    "road without a class": (VALIDATED + "--n_classes 3 --val_metrics road", "--positive_class is not set", "0 to 2"),
    "road of no class": (VALIDATED + "--palette kitti_road --val_metrics road --positive_class raod",
                         "--positive_class is raod", "Did you mean road?"),
    "class past the last": (VALIDATED + "--val_metrics road --positive_class 2", "--positive_class is 2", "0 to 1"),
    "class without road": (TRAIN + "--positive_class 1", "--positive_class 1 is for the scores of road"),
    "missing images": (TRAIN + "--train_images nowhere", "--train_images nowhere: no such folder"),
    "missing labels": (TRAIN + "--train_annotations nowhere", "--train_annotations nowhere: no such folder"),
    "a file for a folder": (TRAIN + "--train_images images/a.png", "--train_images images/a.png"),
    "line break in a value": (TRAIN + "--train_images 'no\nwhere'", "--train_images no where: no such folder"),

    "workers without distributed": (TRAIN + "--hosts a:2,b:2", "--hosts is for several workers", "--distributed"),
    "timeline without distributed": (TRAIN + "--timeline t.json", "--timeline is for several workers"),
    "no number of workers": (DISTRIBUTED, "--distributed needs --num_workers", "NUM_WORKERS", "--hosts"),
    "no worker": (DISTRIBUTED + "--num_workers 0", "--num_workers is 0", "at least 1"),
    "more workers than places": (DISTRIBUTED + "--num_workers 5 --hosts a:2,b:2", "--hosts a:2,b:2", "room for 4"),
    "host without number": (DISTRIBUTED + "--hosts a", "--hosts a: 'a'", "a:8,b:8"),
    "host twice": (DISTRIBUTED + "--hosts a:1,a:1", "--hosts a:1,a:1", "named twice"),
    "three cards": (DISTRIBUTED + "--num_workers 3 --train_engine hpu", "3 workers on localhost", "1, 2, 4 or 8"),
    "more than the box": (DISTRIBUTED + "--num_workers 8 --hls_type HLS1-H", "--hls_type HLS1-H runs 1, 2 or 4"),
    "unknown box": (DISTRIBUTED + "--num_workers 8 --hls_type HLS9", "--hls_type is 'HLS9'", "HLS1-H"),
    "horovodrun on hpu": (DISTRIBUTED + "--num_workers 2 --train_engine hpu --launcher horovodrun",
                          "--launcher horovodrun", "mpirun"),
    "operator with hosts": (DISTRIBUTED + "--kubernetes_run --hosts a:2", "--kubernetes_run", "--hosts"),
    "impatience": (DISTRIBUTED + "--num_workers 2 --fault_timeout 1", "--fault_timeout is 1.0", "at least 5"),
    "elastic without script": (DISTRIBUTED + "--min_workers 2", "--min_workers", "--host_discovery_script"),
    "no such script": (DISTRIBUTED + "--min_workers 2 --host_discovery_script images", "images: no such program"),
    "elastic with mpirun": (ELASTIC + "--launcher mpirun", "--host_discovery_script", "--launcher mpirun", "Gloo"),
    "elastic with hosts": (ELASTIC + "--hosts a:2", "--hosts does not go with --host_discovery_script"),
    "elastic without least": (ELASTIC.replace("--min_workers 2", ""), "--host_discovery_script needs --min_workers"),
    "most below least": (ELASTIC + "--max_workers 1", "--min_workers is 2 and --max_workers is 1"),
    "start below least": (ELASTIC + "--num_workers 1", "--num_workers is 1; expected 2"),
    "timeline into nowhere": (DISTRIBUTED + "--num_workers 2 --timeline images", "--timeline images is a folder"),

    "ids with colours": (PREDICT + "--ids --overlay", "--ids", "--overlay"),
    "ids with legend": (PREDICT + "--ids --legend", "--ids", "--legend"),
    "ids as JPEG": (PREDICT + "--ids --input_path a.png --output_path a.jpg", "--output_path a.jpg", "JPEG", ".png"),
    "palette of predict": (PREDICT + "--palette camvd", "--palette is 'camvd'", "Did you mean camvid?"),
    "out without picture ending": (VISUALIZE + "--out grid.txt", "--out grid.txt", ".png or .jpg"),
    "palette of visualize": (VISUALIZE + "--n_classes 20 --palette cityscapes", "cityscapes has 19", "20"),
    "names of visualize": (VISUALIZE + "--class_names a,b,c", "--class_names 'a,b,c'", "expected 2"),
}

CONFIGS = {
    "missing": (None, "c.yaml: No such file", "expected a YAML file"),
    "broken syntax": (b"epochs: 3\nloss: [ce\n", "c.yaml, line 3", "not valid YAML"),
    "unknown key": (b"epoch: 3", "c.yaml: unknown setting 'epoch'.", "Did you mean epochs?"),
    "key that is no text": (b"3: 3", "c.yaml: unknown setting 3"),
    "wrong type": (b"epochs: many", "c.yaml: epochs is 'many'", "a whole number"),
    "list for a number": (b"epochs: [1, 2]", "c.yaml: epochs is [1, 2]", "a whole number"),
    "list for text": (b"loss: [ce, dice]", "c.yaml: loss is ['ce', 'dice']", "one of ce"),
    "number for a score": (b"val_metrics: [1]", "c.yaml: val_metrics is [1]", "boundary, road", "'1' is unknown"),
    "no score": (b"val_metrics: [null]", "c.yaml: val_metrics is [None]", "boundary, road"),
    "empty setting": (b"epochs:", "c.yaml: epochs is empty", "a whole number"),
    "past a float": (b"learning_rate: 1" + b"0" * 400, "c.yaml: learning_rate", "a number"),
    "list of settings": (b"- epochs: 3\n", "c.yaml", "'setting: value'", "found a list"),
    "empty list": (b"[]", "c.yaml", "'setting: value'", "found a list"),
    "one word": (b"epochs", "c.yaml", "'setting: value'", "found a str"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\xff\xfe", "c.yaml", "not valid YAML"),
    "impossible date": (b"epochs: 2024-13-45", "c.yaml", "not valid YAML"),
    "deep nesting": (b"[" * 5000, "c.yaml", "not valid YAML"),
    "config in a config": (b"config: other.yaml", "c.yaml: unknown setting 'config'"),
}

VARIABLES = {
    "word for a number": ({"SEGNET_EPOCHS": "x"}, "SEGNET_EPOCHS is 'x'", "a whole number of at least 1"),
    "out of range": ({"SEGNET_EPOCHS": "0"}, "SEGNET_EPOCHS is 0", "at least 1"),
    "unknown choice": ({"SEGNET_LOSS": "dise"}, "SEGNET_LOSS is 'dise'", "Did you mean dice?"),
    "missing config": ({"SEGNET_CONFIG": "no.yaml"}, "no.yaml: No such file", "expected a YAML file"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_wrong_flag(refused, name):
    command, *words = FLAGS[name]
    refused(command, words)


@pytest.mark.parametrize("name", CONFIGS)
def test_wrong_config(refused, place, name):
    text, *words = CONFIGS[name]
    if text is not None:
        (place / "c.yaml").write_bytes(text)
    refused(TRAIN.replace("--epochs 1", "") + "--config c.yaml", words)


@pytest.mark.parametrize("name", VARIABLES)
def test_wrong_variable(refused, monkeypatch, name):
    variables, *words = VARIABLES[name]
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    refused(TRAIN.replace("--epochs 1", ""), words)


def test_no_refusal_of_a_flag_imports_anything_heavy(place):
    """All in one process of their own: other tests have imported Keras into this one."""
    code = """if True:
        import json, shlex, sys
        from segnet_hpu.cli import main
        for name, command in json.load(sys.stdin).items():
            status = main(shlex.split(command))
            heavy = {"tensorflow", "keras", "numpy", "cv2"} & set(sys.modules)
            if status != 2 or heavy:
                sys.exit(f"{name}: status {status}, imported {heavy}")
        """
    commands = {name: command for name, (command, *_) in FLAGS.items()}
    done = subprocess.run([sys.executable, "-c", code], input=json.dumps(commands), capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) == len(commands)


@pytest.mark.parametrize("name", ["unknown command", "unknown flag", "ids with colours"])
def test_refusal_as_users_see_it(cli, name):
    import shlex

    command, *words = FLAGS[name]
    done = cli(*shlex.split(command))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("segnet-hpu: ") and all(word in done.stderr for word in words)


def test_no_command_shows_help_and_fails(capsys):
    from segnet_hpu.cli import main

    assert main([]) == 2
    assert "usage: segnet-hpu COMMAND" in capsys.readouterr().out
