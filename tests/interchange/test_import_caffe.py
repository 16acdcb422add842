"""Networks of Caffe imported, against the same files run layer by layer in NumPy."""

import cv2
import keras
import numpy as np
import pytest

import caffe_files
import prototxt
from caffe_numpy import forward
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.caffe.importer import import_weights
from segnet_hpu.interchange.caffe.reader import read_caffemodel
from segnet_hpu.models.build import build_model

SIZE = (36, 52)  # 18x26, 9x13, 5x7, 3x4, 2x2: Caffe's pooling rounds up


@pytest.fixture
def rgb():
    return cv2.resize(np.random.default_rng(5).integers(0, 256, (6, 9, 3), np.uint8), SIZE[::-1])


def bgr_planes(rgb):
    return rgb[..., ::-1].transpose(2, 0, 1)


def made(path, text, rgb, version=2, **kwargs):
    """Write a file with random weights for a network's text; return (its output (H, W, C), the weights)."""
    net, weights = prototxt.parse(text), {}
    blobs = forward(net, bgr_planes(rgb), weights, caffe_files.random_weights())
    caffe_files.write(path, net, weights, version, **kwargs)
    return blobs[prototxt.one(net["layer"][-1], "top")].transpose(1, 2, 0), weights


def imported(name, n_classes, path, size=SIZE):
    model = build_model(name, n_classes, *size)
    return model, import_weights(model, read_caffemodel(path), path)


def same(model, rgb, expected):
    """Equal to 1e-4 of the expected values' size."""
    found = np.asarray(model(rgb[None].astype(np.float32)))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name,text,version", [
    ("segnet_basic", prototxt.segnet_basic(SIZE, 11), 1),
    ("segnet_basic", prototxt.segnet_basic(SIZE, 11, "dense_softmax_inner_prod"), 2),
    ("bayesian_segnet_basic", prototxt.segnet_basic(SIZE, 11), 2),
    ("segnet_vgg16", prototxt.segnet_vgg16(SIZE, 11), 2),
])
def test_segnet(tmp_path, rgb, name, text, version):
    expected, weights = made(tmp_path / "net.caffemodel", text, rgb, version)
    model, result = imported(name, 11, tmp_path / "net.caffemodel")
    assert (result.merged, result.unset, result.unused) == ([], [], [])
    assert len(result.taken) == len(weights) == len([layer for layer in model.layers if layer.weights])
    same(model, rgb, expected)


def test_the_authors_prototxt(tmp_path, real_data, rgb):
    """Our text of the network is theirs, but for the sizes that it unpools to and the classifier's name."""
    theirs = prototxt.parse((real_data / "weights/segnet_basic_camvid.prototxt").read_text())["layer"]
    ours = prototxt.parse(prototxt.segnet_basic((360, 480), 11, "dense_softmax_inner_prod"))["layer"]
    def lines(layers):
        return [(prototxt.one(one, "type"), len(one["bottom"]), one["top"][0],
                 {k: v for k, v in one.get("convolution_param", [{}])[0].items() if "filler" not in k and v != [0]})
                for one in layers]
    assert lines(theirs)[:-1] == lines(ours)


def test_batch_norm_with_scale_in_place_of_the_forks(tmp_path, rgb):
    """Standard Caffe's two layers, by other names than ours, with an epsilon of their own."""
    text = prototxt.segnet_basic(SIZE, 5)
    for line in text.splitlines():
        if '"BN"' in line:
            name = line.split('"')[1].removesuffix("_bn")
            both = prototxt.layer(f"norm_{name}", "BatchNorm", name, name, "batch_norm_param { eps: 0.01 }")
            text = text.replace(line + "\n", both + prototxt.layer(f"scale_{name}", "Scale", name, name))
    expected, _ = made(tmp_path / "net.caffemodel", text, rgb)
    model, result = imported("segnet_basic", 5, tmp_path / "net.caffemodel")
    assert (len(result.taken), result.merged, result.unset, result.unused) == (17, [], [], [])
    same(model, rgb, expected)
    # The statistics are real ones, from which training can go on.
    assert model.get_layer("conv1_bn").get_weights()[3].min() > 0.19


def test_a_batch_norm_with_too_few_blobs_is_refused(tmp_path):
    net = prototxt.parse(prototxt.layer("norm", "BatchNorm", "data"))
    path = caffe_files.write(tmp_path / "net.caffemodel", net, {"norm": [np.ones(3), np.ones(3)]})
    with pytest.raises(UsageError, match="layer norm holds 3, 3 in Caffe's order, norm takes 3, 3, 3, 3"):
        import_weights(small_model(keras.layers.BatchNormalization(name="norm")), read_caffemodel(path), path)


def test_a_batch_norm_of_four_blobs_has_its_statistics_too(tmp_path, rgb):
    """Slope, bias, mean and variance, as the fork of PSPNet's authors keeps them."""
    rng = np.random.default_rng(0)
    bounds = ((0.5, 2), (-1, 1), (90, 160), (0.2, 4))
    blobs = [rng.uniform(*pair, (1, 3, 1, 1)) for pair in bounds]
    net = prototxt.parse(prototxt.convolution("conv", "data", 3, 1, 0, "bias_term: false")
                         + prototxt.layer("norm", "BN", "conv"))
    as_it_is = np.eye(3)[::-1].reshape(3, 3, 1, 1)  # BGR to RGB
    path = caffe_files.write(tmp_path / "net.caffemodel", net, {"conv": [as_it_is], "norm": blobs})
    model = small_model(keras.layers.Conv2D(3, 1, use_bias=False, name="conv"),
                        keras.layers.BatchNormalization(name="norm"))
    assert import_weights(model, read_caffemodel(path), path).unset == []
    slope, bias, mean, variance = map(np.ravel, blobs)
    same(model, rgb[:8, :10], (rgb[:8, :10] - mean) / np.sqrt(variance + 1e-5) * slope + bias)


def test_batch_norm_merged_into_the_convolutions(tmp_path, rgb):
    text = "".join(line + "\n" for line in prototxt.segnet_basic(SIZE, 5).splitlines() if '"BN"' not in line)
    expected, _ = made(tmp_path / "net.caffemodel", text, rgb)
    model, result = imported("segnet_basic", 5, tmp_path / "net.caffemodel")
    assert result.merged == [f"{name}_bn" for name in ("conv1", "conv2", "conv3", "conv4", "conv_decode4",
                                                       "conv_decode3", "conv_decode2", "conv_decode1")]
    assert len(result.taken) == 9 and not result.unset and not result.unused
    same(model, rgb, expected)


@pytest.fixture(scope="module")
def vgg16(tmp_path_factory):
    """(file with one of its fully connected layers, network, weights)."""
    net, weights = prototxt.parse(prototxt.vgg16()), {}
    forward(net, np.zeros((3, 32, 32)), weights, caffe_files.random_weights())
    weights["fc8"] = [np.ones((1000, 8), np.float32), np.ones(1000, np.float32)]
    whole = {"layer": net["layer"] + prototxt.parse(prototxt.layer("fc8", "InnerProduct", "pool5"))["layer"]}
    path = tmp_path_factory.mktemp("vgg") / "vgg.caffemodel"
    return caffe_files.write(path, whole, weights, version=1), net, weights


def test_vgg16_into_an_encoder(vgg16, rgb):
    """What is published for ImageNet: BGR with a mean; the rest of the model stays as it was."""
    path, net, weights = vgg16
    mean = np.array([103.939, 116.779, 123.68])[:, None, None]
    blobs = forward(net, bgr_planes(rgb[:32, :48]) - mean, weights)
    model = build_model("vgg_segnet", 4, 32, 48)
    before = model.get_layer("classifier").get_weights()
    result = import_weights(model, read_caffemodel(path), path)
    assert result.taken == [f"block{b}_conv{i}" for b, n in enumerate((2, 2, 3, 3), 1) for i in range(1, n + 1)]
    assert result.unused == ["conv5_1", "conv5_2", "conv5_3", "fc8"]
    assert result.unset[0] == "decoder_1_conv" and result.unset[-1] == "classifier" and len(result.unset) == 9
    np.testing.assert_array_equal(model.get_layer("classifier").get_weights()[0], before[0])
    same(keras.Model(model.input, model.get_layer("block4_pool").output), rgb[:32, :48],
         blobs["pool4"].transpose(1, 2, 0))


def test_the_vgg16_of_segnet_starts_from_that_of_imagenet(vgg16, rgb):
    """Its encoder has batch norms, VGG16 none: they change nothing."""
    path, net, weights = vgg16
    model, result = imported("segnet_vgg16", 4, path)
    assert len(result.taken) == len(result.merged) == 13 and len(result.unset) == 25
    expected = forward(net, bgr_planes(rgb), weights)["pool5"].transpose(1, 2, 0)
    same(keras.Model(model.input, model.get_layer("pool5").output[0]), rgb, expected)


def test_other_classes_are_refused_by_name_and_nothing_is_set(tmp_path, rgb):
    made(tmp_path / "net.caffemodel", prototxt.segnet_basic(SIZE, 11), rgb)
    model = build_model("segnet_basic", 12, *SIZE)
    before = model.get_weights()
    with pytest.raises(UsageError, match="layer conv_classifier holds 11x64x1x1, 11 in Caffe's order, "
                                         "conv_classifier takes 1x1x64x12, 12 in Keras'; give the model and classes"):
        import_weights(model, read_caffemodel(tmp_path / "net.caffemodel"), tmp_path / "net.caffemodel")
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_file_of_another_network_is_refused(tmp_path, rgb):
    made(tmp_path / "net.caffemodel", prototxt.convolution("ip1", "data", 4, 3, 1), rgb)
    with pytest.raises(UsageError, match="net.caffemodel has no layer of segnet_basic: it holds ip1; "
                                         "segnet_basic has conv1, conv1_bn"):
        imported("segnet_basic", 4, tmp_path / "net.caffemodel")


def small_model(*layers):
    """A model of single layers on raw pixels, each with the name of its Caffe twin."""
    x = image = keras.Input((8, 10, 3))
    for layer in layers:
        x = layer(x)
    return keras.Model(image, x)


@pytest.mark.parametrize("text,layers", [
    # FCN's bilinear enlargement comes in groups, one a class.
    (prototxt.convolution("score", "data", 6, 1, 0)
     + prototxt.convolution("up", "score", 6, 4, 1, "stride: 2 group: 6 bias_term: false", "Deconvolution"),
     lambda kl: [kl.Conv2D(6, 1, name="score"),
                 kl.Conv2DTranspose(6, 4, strides=2, padding="same", use_bias=False, name="up")]),
    (prototxt.convolution("score", "data", 6, 1, 0)
     + prototxt.convolution("up", "score", 4, 3, 0, "stride: 2 group: 2", "Deconvolution"),
     lambda kl: [kl.Conv2D(6, 1, name="score"), kl.Conv2DTranspose(4, 3, strides=2, name="up")]),
    (prototxt.convolution("score", "data", 6, 3, 1, "bias_term: false")
     + prototxt.convolution("grouped", "score", 8, 3, 2, "group: 2 dilation: 2"),
     lambda kl: [kl.Conv2D(6, 3, padding="same", name="score"),
                 kl.Conv2D(8, 3, padding="same", groups=2, dilation_rate=2, name="grouped")]),
    (prototxt.convolution("conv", "data", 5, 3, 1) + prototxt.layer("slope", "PReLU", "conv"),
     lambda kl: [kl.Conv2D(5, 3, padding="same", name="conv"), kl.PReLU(shared_axes=(1, 2), name="slope")]),
])
def test_layers_one_by_one(tmp_path, rgb, text, layers):
    expected, _ = made(tmp_path / "net.caffemodel", text, rgb[:8, :10])
    model = small_model(*layers(keras.layers))
    import_weights(model, read_caffemodel(tmp_path / "net.caffemodel"), "net.caffemodel")
    same(model, rgb[:8, :10], expected)


@pytest.mark.parametrize("version", [1, 2])
def test_an_inner_product_is_a_convolution_over_all_it_sees(tmp_path, rgb, version):
    rng = np.random.default_rng(0)
    net = prototxt.parse(prototxt.convolution("conv", "data", 4, 3, 1) + prototxt.layer("fc", "InnerProduct", "conv"))
    weights = {"fc": [rng.normal(0, 0.1, (7, 4 * 8 * 10)), rng.normal(0, 1, 7)]}
    blobs = forward(net, bgr_planes(rgb[:8, :10]), weights, caffe_files.random_weights())
    path = caffe_files.write(tmp_path / "net.caffemodel", net, weights, version)
    model = small_model(keras.layers.Conv2D(4, 3, padding="same", name="conv"),
                        keras.layers.Conv2D(7, (8, 10), name="fc"))
    import_weights(model, read_caffemodel(path), path)
    same(model, rgb[:8, :10], blobs["fc"].transpose(1, 2, 0))


def test_a_group_too_many_and_a_bias_without_place_are_refused(tmp_path, rgb):
    path = tmp_path / "net.caffemodel"
    made(path, prototxt.convolution("up", "data", 6, 2, 0, "group: 3", "Deconvolution"), rgb)
    for layer, message in ((keras.layers.Conv2DTranspose(12, 2, name="up"), "up holds 3x2x2x2, 6 in 3 groups"),
                           (keras.layers.Conv2DTranspose(6, 2, use_bias=False, name="up"), "up has a bias")):
        with pytest.raises(UsageError, match=message):
            import_weights(small_model(layer), read_caffemodel(path), path)


def test_fcn_8s_by_the_names_of_its_file(tmp_path, rgb):
    """FCN-8s with narrow layers. The published one pads its picture by 100 and crops; ours pads each layer."""
    kl, size, text, bottom = keras.layers, (64, 96), "", "data"
    x = image = keras.Input((*size, 3))
    features = []
    for block in range(1, 6):
        text += prototxt.convolution(f"conv{block}_1", bottom, 4, 3, 1)
        text += prototxt.layer(f"pool{block}", "Pooling", f"conv{block}_1", None, prototxt.POOL)
        x = kl.MaxPooling2D(2)(kl.Conv2D(4, 3, padding="same", name=f"block{block}_conv1")(x))
        features.append(x)
        bottom = f"pool{block}"
    text += prototxt.convolution("fc6", bottom, 6, 7, 3) + prototxt.layer("relu6", "ReLU", "fc6", "fc6")
    text += prototxt.convolution("fc7", "fc6", 6, 1, 0) + prototxt.convolution("score_fr", "fc7", 3, 1, 0)
    x = kl.Conv2D(6, 7, padding="same", activation="relu", name="fc6")(x)
    x = kl.Conv2D(3, 1, name="classifier_5")(kl.Conv2D(6, 1, name="fc7")(x))
    bottom = "score_fr"
    for level, up in ((4, "upscore2"), (3, "upscore_pool4")):
        text += prototxt.convolution(up, bottom, 3, 4, 1, "stride: 2 bias_term: false", "Deconvolution")
        text += prototxt.convolution(f"score_pool{level}", f"pool{level}", 3, 1, 0)
        text += prototxt.layer(f"cropped{level}", "Crop", f"score_pool{level} {up}", None, "crop_param { axis: 2 }")
        text += prototxt.layer(f"fuse_pool{level}", "Eltwise", f"{up} cropped{level}")
        x = kl.Conv2DTranspose(3, 4, strides=2, padding="same", use_bias=False, name=f"decoder_up{level}")(x)
        x = kl.Add()([x, kl.Conv2D(3, 1, name=f"classifier_{level}")(features[level - 1])])
        bottom = f"fuse_pool{level}"
    text += prototxt.convolution("upscore8", bottom, 3, 16, 4, "stride: 8 bias_term: false", "Deconvolution")
    x = kl.Conv2DTranspose(3, 16, strides=8, padding="same", use_bias=False, name="classifier_up")(x)
    picture = cv2.resize(rgb, size[::-1])
    expected, weights = made(tmp_path / "net.caffemodel", text, picture)
    model = keras.Model(image, x)
    result = import_weights(model, read_caffemodel(tmp_path / "net.caffemodel"), "net.caffemodel")
    assert len(result.taken) == len(weights) == 13 and not result.unset and not result.unused
    same(model, picture, expected)
