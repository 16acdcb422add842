"""keras_segmentation's models as scripts use them: factories, softmax, weights, own networks."""

import keras
import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from segnet_hpu.compat.keras_segmentation.train import _of_stack
from segnet_hpu.data_utils.data_loader import get_image_array, image_segmentation_generator
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.inference.monte_carlo import MonteCarloPredictor
from segnet_hpu.inference.test_time_augmentation import AugmentedPredictor
from segnet_hpu.interchange.export.network import twin
from segnet_hpu.metrics import get_iou
from segnet_hpu.model_compression import perform_distilation
from segnet_hpu.models.fcn import fcn_32_vgg
from segnet_hpu.models.model_utils import get_segmentation_model, transfer_weights
from segnet_hpu.models.pspnet import pspnet_50
from segnet_hpu.models.segnet import segnet
from segnet_hpu.models.softmax import softmax_model
from segnet_hpu.models.unet import unet_mini, vgg_unet
from segnet_hpu.objectives.losses.distillation import distillation_loss
from segnet_hpu.pretrained import pspnet_101_voc12
from segnet_hpu.train import find_latest_checkpoint
from toy import write_toy


def own(n_classes=3, size=(32, 48)):
    """A user's network of keras_segmentation's kind."""
    keras.utils.set_random_seed(0)
    image = keras.Input((*size, 3))
    x = keras.layers.Conv2D(16, 1, activation="relu")(keras.layers.Rescaling(1 / 127.5)(image))
    return get_segmentation_model(image, keras.layers.Conv2D(n_classes, 1)(x))


def test_factories():
    model = vgg_unet(n_classes=4, input_height=32, input_width=64)
    assert (model.model_name, model.n_classes, model.output_height, model.output_width) == ("vgg_unet", 4, 16, 32)
    assert segnet(2, 32, 32, encoder_level=2).count_params() < segnet(2, 32, 32).count_params()
    assert fcn_32_vgg and pspnet_50


def test_predict_is_softmax_over_the_pixels():
    model = unet_mini(3, 16, 24)
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    array = get_image_array(picture, 24, 16, ordering="channels_last")
    softmax = model.predict(np.array([array, array]), verbose=0)
    assert softmax.shape == (2, 16 * 24, 3) and softmax.dtype == np.float32
    import cv2

    raw = cv2.resize(picture, (24, 16))[None, :, :, ::-1].astype(np.float32)
    logits = np.asarray(model.predict_on_batch(raw)).reshape(-1, 3)
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(softmax[0], expected, atol=1e-4)
    # The new weights count at once.
    model.set_weights([np.zeros(w.shape) for w in model.weights])
    np.testing.assert_allclose(model.predict(array[None], verbose=0), 1 / 3)
    grey = unet_mini(2, 16, 24, channels=1)
    array = get_image_array(picture[:, :, 0], 24, 16, ordering="channels_last")
    assert grey.predict(array[None], verbose=0).shape == (1, 16 * 24, 2)


def test_a_script_that_fits_by_itself_and_predicts(tmp_path):
    images, labels = write_toy(tmp_path / "toy", 4)
    model = own()
    twin = softmax_model(model)
    twin.compile(keras.optimizers.Adam(0.05), "categorical_crossentropy", metrics=["accuracy"])
    batches = image_segmentation_generator(images, labels, 2, 3, 32, 48, 32, 48)
    history = twin.fit(batches, steps_per_epoch=10, epochs=2, verbose=0)
    assert history.history["accuracy"][-1] > 0.9
    scores = model.evaluate_segmentation(inp_images_dir=images, annotations_dir=labels)
    assert scores["mean_IU"] > 0.8
    assert model.predict_segmentation(images / "0.png", tmp_path / "o.png", prediction_width=96,
                                      prediction_height=64).shape == (32, 48)
    import cv2

    assert cv2.imread(str(tmp_path / "o.png")).shape == (64, 96, 3)


def test_grey_pictures(tmp_path):
    images, _ = write_toy(tmp_path / "toy", 1)
    model = unet_mini(2, 16, 24, channels=1)
    classes = model.predict_segmentation(images / "0.png", tmp_path / "o.png", read_image_type=0, overlay_img=True)
    assert classes.shape == (16, 24) and (tmp_path / "o.png").exists()
    with pytest.raises(UsageError, match="has 3 channels, unet_mini takes 1; read_image_type=0"):
        model.predict_segmentation(images / "0.png")
    for judge in (model.train, model.evaluate_segmentation):
        with pytest.raises(UsageError, match="unet_mini takes 1 channels; (train|evaluate) reads RGB pictures"):
            judge([], [])


def test_more_channels_and_floats(tmp_path):
    model = unet_mini(2, 16, 24, channels=4)
    picture = np.random.default_rng(0).uniform(-9, 300, (20, 30, 4))
    whole = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(model.predict_segmentation(picture, tmp_path / "o.png"),
                                  model.predict_segmentation(whole))
    with pytest.raises(UsageError, match="overlay_img draws over pictures of 1 or 3 channels, unet_mini takes 4"):
        model.predict_segmentation(picture, tmp_path / "p.png", overlay_img=True)
    assert [p.name for p in tmp_path.iterdir()] == ["o.png"]


def test_nothing_given_is_refused():
    model = own()
    for function, name in ((model.predict_segmentation, "inp"), (model.predict_multiple, "inp_dir"),
                           (model.evaluate_segmentation, "inp_images_dir")):
        with pytest.raises(UsageError, match=f"{name} is not given"):
            function()


def test_evaluate_takes_arrays():
    model = own()
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(2)]
    truth = rng.integers(0, 3, (2, 32, 48))
    labels = [np.repeat(truth[0][..., None], 3, -1), np.where(truth[1] == 2, -1, truth[1])]  # -1 is void
    found = model.evaluate_segmentation(images, labels)
    judged = np.concatenate([np.ones(32 * 48, bool), (truth[1] != 2).ravel()])
    classes = np.array([model.predict_segmentation(image) for image in images]).ravel()[judged]
    assert len(np.unique(classes)) > 1
    expected = jaccard_score(truth.ravel()[judged], classes, average=None, labels=range(3))
    np.testing.assert_allclose(found["class_wise_IU"], expected)
    for image, message in ((images[0][:9], r"annotations\[0\] is 48x32 but inp_images\[0\] is 48x9"),
                           (images[0][..., 0], r"inp_images\[0\] has 1 channels")):
        with pytest.raises(UsageError, match=message):
            model.evaluate_segmentation([image], labels[:1])


def test_train_takes_a_users_augmentation(tmp_path):
    images, labels = write_toy(tmp_path / "toy", 2)
    seen = []

    def spy(image, mask):
        seen.append((image[-1, -1].astype(int), mask[-1, -1]))
        return image + 0.25, mask * 0 + 1  # as float64

    options = dict(epochs=1, steps_per_epoch=2, verify_dataset=False, gen_use_multiprocessing=True, val_pictures=0)
    model = own()
    model.train(images, labels, do_augment=True, custom_augmentation=spy, model_dir=tmp_path / "a", **options)
    assert len(seen) >= 4
    # The corner below is class 1, BGR about (60, 190, 60), or class 2, (210, 70, 60).
    assert all(np.abs(pixel - ((60, 190, 60), (210, 70, 60))[i - 1]).max() < 110 for pixel, i in seen)
    with pytest.raises(UsageError, match="own takes 3 channels; train reads grey pictures, which have 1"):
        model.train(images, labels, read_image_type=0, model_dir=tmp_path / "b", **options)


def test_what_an_augmentation_makes_is_rounded_and_clipped():
    changed, mask = _of_stack(lambda bgr, mask: (bgr * [2.0, 1.0, -1.0] + 0.6, mask))(
        np.array([[[10, 20, 200]]], np.uint8), np.array([[1]], np.uint8))
    assert changed.dtype == mask.dtype == np.uint8 and changed.tolist() == [[[0, 21, 255]]]


def test_a_users_network_lies_flat(tmp_path):
    """Layers in keras_segmentation's way: its names, a branch, one layer twice, an operation that is no layer."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 24, 3), name="image")
    twice = keras.layers.Conv2D(3, 3, padding="same", name="normalise")
    x = keras.layers.Add()([twice(twice(image)), image / 2])
    output = keras.layers.Conv2D(4, 1, name="logits")(keras.layers.Dropout(0.5)(x))
    body = keras.Model(image, output)
    model = get_segmentation_model(image, output)
    assert twice in model.layers and not any(isinstance(layer, keras.Model) for layer in model.layers)
    raw = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3)).astype(np.float32)
    expected = np.asarray(body(raw - np.array([123.68, 116.779, 103.939], np.float32)))
    np.testing.assert_allclose(model(raw), expected, atol=1e-4 * np.abs(expected).max())
    model.save(tmp_path / "own.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "own.keras")(raw), model(raw))
    assert MonteCarloPredictor(model, 2).predict(raw[:1].astype(np.uint8))[0].uncertainty.max() > 0
    resized, = AugmentedPredictor(model, scales=(2,)).predictors
    assert resized.model.output_shape == (None, 32, 48, 4)


def test_a_users_network_of_mixed_precision_is_exported_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = own()
    finally:
        keras.config.set_dtype_policy("float32")
    plain = own()
    plain.set_weights(model.get_weights())
    raw = np.random.default_rng(0).integers(0, 256, (1, 32, 48, 3)).astype(np.float32)
    expected = np.asarray(plain(raw))
    np.testing.assert_allclose(twin(model)(raw), expected, atol=1e-5 * np.abs(expected).max())
    assert np.abs(np.asarray(model(raw)) - expected).max() > 1e-4 * np.abs(expected).max()
    assert twin(model, free_size=True).input_shape == (None, None, None, 3)


def test_users_networks_learn_from_each_other(tmp_path):
    images, _ = write_toy(tmp_path / "toy", 4)
    teacher, student = own(), own(size=(16, 24))
    student.layers[-2].set_weights([np.zeros(w.shape) for w in student.layers[-2].get_weights()])
    history = perform_distilation(teacher, student, images, "l2", batch_size=4, epochs=2, steps_per_epoch=20,
                                  feats_distilation_loss="pa")
    assert history[1] < history[0]


def test_distillation_returns_the_means_of_its_epochs(tmp_path):
    """Two epochs of one step are one epoch of two."""
    images, _ = write_toy(tmp_path / "toy", 4)
    each, whole = (perform_distilation(own(), unet_mini(3, 16, 24), images, "l2", batch_size=2, epochs=2 // steps,
                                       steps_per_epoch=steps) for steps in (1, 2))
    assert whole == pytest.approx([sum(each) / 2], rel=1e-5) and abs(each[0] - each[1]) > 1e-3 * each[0]


def test_transfer_weights(capsys):
    source, target = segnet(5, 32, 32), segnet(7, 32, 32)
    transfer_weights(source, target)
    assert "Copied weights of 16 layers and skipped 1 layers" in capsys.readouterr().out
    for a, b in zip(source.layers, target.layers, strict=True):
        if a.weights and a.name != "classifier":
            np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])
    with pytest.raises(UsageError, match="expected as many"):
        transfer_weights(source, unet_mini(5, 32, 32))


def test_latest_checkpoint(tmp_path):
    prefix = tmp_path / "net"
    assert find_latest_checkpoint(str(prefix)) is None
    with pytest.raises(ValueError, match="no checkpoint"):
        find_latest_checkpoint(str(prefix), fail_safe=False)
    (tmp_path / "net_config.json").write_text("{}")
    for name in ("net.9", "net.10.index", "net.10.data-00000-of-00001", "net.11x", "network.12", "net.2.h5"):
        (tmp_path / name).touch()
    assert find_latest_checkpoint(str(prefix)) == f"{prefix}.10"
    for name in ("net.9.keras", "net.10.keras", "net.best.keras"):
        (tmp_path / name).touch()
    assert find_latest_checkpoint(str(prefix)) == f"{prefix}.10.keras"


def test_iou():
    truth, found = np.random.default_rng(0).integers(0, 4, (2, 9, 11))
    expected = jaccard_score(truth.ravel(), found.ravel(), average=None, labels=range(5), zero_division=0)
    np.testing.assert_allclose(get_iou(truth, found, 5), expected)


def test_distillation_losses():
    rng = np.random.default_rng(0)
    t, s = (np.exp(x) / np.exp(x).sum(-1, keepdims=True) for x in rng.normal(size=(2, 2, 4, 5, 3)))
    unit = [x.reshape(2, 20, 3) / np.linalg.norm(x.reshape(2, 20, 3), axis=-1, keepdims=True) for x in (t, s)]
    pairs = [u @ u.transpose(0, 2, 1) for u in unit]
    for name, expected in (("l1", np.abs(t - s).mean()), ("l2", ((t - s)**2).mean()),
                           ("kl", (t * np.log(t / s)).sum(-1).mean()), ("pa", ((pairs[0] - pairs[1])**2).mean())):
        assert float(distillation_loss(name)(t, s)) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(UsageError, match="expected one of l1, l2, kl, pa"):
        distillation_loss("l3")
    big = rng.normal(size=(1, 70, 90, 2)).astype(np.float32)
    assert float(distillation_loss("pa")(big, big)) == 0 < float(distillation_loss("pa")(big, big[:, ::-1]))


@pytest.mark.parametrize("loss,feats", [("kl", None), ("pa", "l2")])
def test_a_student_comes_nearer_its_teacher(tmp_path, loss, feats):
    images, _ = write_toy(tmp_path / "toy", 4)
    keras.utils.set_random_seed(1)
    teacher, student = unet_mini(3, 32, 48), unet_mini(3, 16, 24)
    for layer in student.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0  # its noise is larger than what few steps gain
    kept = [w.copy() for w in teacher.get_weights()]
    history = perform_distilation(teacher, student, images, loss, batch_size=4, epochs=2, steps_per_epoch=20,
                                  checkpoints_path=tmp_path / "s", feats_distilation_loss=feats)
    assert len(history) == 2 and history[1] < history[0]
    assert find_latest_checkpoint(tmp_path / "s") == str(tmp_path / "s.2.keras")
    for before, after in zip(kept, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_distillation_refuses_what_it_cannot_compare(tmp_path):
    images, _ = write_toy(tmp_path / "toy", 1)
    with pytest.raises(UsageError, match="teacher has 3 classes, the student 2; kl compares"):
        perform_distilation(unet_mini(3, 16, 24), unet_mini(2, 16, 24), images)


def test_pretrained_without_a_network(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise ConnectionError("no route")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(RunError, match="pspnet101_voc2012.h5.*no answer"):
        pspnet_101_voc12()
