"""Losses against plain NumPy loops in float64; gradients against finite differences of those."""

import inspect

import keras
import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses import losses, make_loss

tf = pytest.importorskip("tensorflow")

C = 4
WEIGHTS = [0.5, 2.0, 0.0, 1.5]


def image_loss(term, label, logits):
    """Sum term(class, log-probabilities) over the labelled pixels of one image / their number."""
    terms = [term(c, z - np.log(np.exp(z - z.max()).sum()) - z.max())
             for c, z in zip(label.ravel(), logits.reshape(-1, C), strict=True) if c < C]
    return sum(terms) / len(terms) if terms else 0.0


def valid_pixels(label, logits):
    """Labels (n,) and softmax (n, C) of the labelled pixels."""
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return label[label < C], (e / e.sum(-1, keepdims=True))[label < C]


def image_dice(label, logits, smooth, power=1, weights=(1,) * C):
    t, p = valid_pixels(label, logits)
    losses = [1 - (2 * p[t == c, c].sum() + smooth) / ((p[:, c] ** power).sum() + (t == c).sum() + smooth)
              for c in np.unique(t)]
    shares = np.array(weights)[np.unique(t)]
    return float(np.sum(shares * losses) / shares.sum()) if losses else 0.0


def image_lovasz(label, logits):
    """The definition: the largest errors, one after the other, weigh what their pixels add to 1 - IoU."""
    t, p = valid_pixels(label, logits)
    losses = []
    for c in np.unique(t):
        own, before, total, wrong = set(np.flatnonzero(t == c)), 0.0, 0.0, set()
        errors = np.abs((t == c) - p[:, c])
        for i in np.argsort(-errors):
            wrong.add(i)
            after = 1 - len(own - wrong) / len(own | wrong)
            total, before = total + errors[i] * (after - before), after
        losses.append(total)
    return float(np.mean(losses)) if losses else 0.0


def image_ohem(label, logits, threshold=0.7, keep=1 / 16, weights=(1,) * C):
    t, p = valid_pixels(label, logits)
    if not len(t):
        return 0.0
    true = p[np.arange(len(t)), t]
    hardest = np.argsort(true)[:max(1, round(keep * len(t)))]
    kept = sorted({*np.flatnonzero(true <= threshold), *hardest})
    return float(np.mean([-weights[t[i]] * np.log(true[i]) for i in kept]))


def ce(c, logp):
    return -logp[c]


def weighted(c, logp):
    return -WEIGHTS[c] * logp[c]


def smoothed(c, logp):
    q = np.full(C, 0.1 / C)
    q[c] += 0.9
    return -(q * logp).sum()


CASES = {
    "ce": (("ce", {}), lambda y, z: image_loss(ce, y, z)),
    "smoothed": (("ce", {"label_smoothing": 0.1}), lambda y, z: image_loss(smoothed, y, z)),
    "weighted_ce": (("weighted_ce", {"class_weights": WEIGHTS}), lambda y, z: image_loss(weighted, y, z)),
    "dice": (("dice", {}), lambda y, z: image_dice(y, z, 1.0)),
    "dice_unsmoothed": (("dice", {"smooth": 0.0}), lambda y, z: image_dice(y, z, 0.0)),
    "ce_dice": (("ce_dice", {"class_weights": WEIGHTS}),
                lambda y, z: image_loss(weighted, y, z) + image_dice(y, z, 1.0)),
    "dice_squared": (("dice", {"squared": True}), lambda y, z: image_dice(y, z, 1.0, power=2)),
    "dice_weighted": (("dice", {"class_weights": WEIGHTS}), lambda y, z: image_dice(y, z, 1.0, weights=WEIGHTS)),
    "lovasz": (("lovasz", {}), image_lovasz),
    "ce_lovasz": (("ce_lovasz", {"class_weights": WEIGHTS}),
                  lambda y, z: image_loss(weighted, y, z) + image_lovasz(y, z)),
    "ohem": (("ohem", {"threshold": 0.1}), lambda y, z: image_ohem(y, z, 0.1)),
    "ohem_kept": (("ohem", {"threshold": 1e-6, "keep": 0.5, "class_weights": WEIGHTS}),
                  lambda y, z: image_ohem(y, z, 1e-6, 0.5, WEIGHTS)),
    "focal": (("focal", {}), lambda y, z: image_loss(lambda c, lp: (1 - np.exp(lp[c])) ** 2 * -lp[c], y, z)),
    "focal_half": (("focal", {"gamma": 0.5, "class_weights": WEIGHTS}), lambda y, z: image_loss(
        lambda c, lp: WEIGHTS[c] * (1 - np.exp(lp[c])) ** 0.5 * -lp[c], y, z)),
}


@pytest.fixture
def batch():
    """Labels uint8 (4, 3, 5) with void pixels, image 2 all void, and logits (4, 3, 5, C)."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, C, (4, 3, 5)).astype("uint8")
    labels[rng.random(labels.shape) < 0.25] = 255
    labels[2] = 255
    labels[3][labels[3] == 1] = 0
    return labels, rng.normal(0, 2, (4, 3, 5, C)).astype("float32")


@pytest.fixture(params=CASES)
def case(request):
    (name, options), reference = CASES[request.param]
    return make_loss(name, **options), reference


def value_and_gradient(loss, labels, logits):
    z = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = loss(labels, z)
    return value, tape.gradient(value, z)


def test_values_of_each_image(case, batch):
    loss, reference = case
    got = np.array(loss.call(*batch))
    want = [reference(y, z.astype("float64")) for y, z in zip(*batch, strict=True)]
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-7)
    assert got[2] == 0
    np.testing.assert_allclose(float(loss(*batch)), np.mean(want), rtol=2e-6)


def test_gradient_is_that_of_finite_differences(case, batch):
    loss, reference = case
    labels, logits = batch
    _, got = value_and_gradient(loss, labels, logits)
    want, step = np.zeros(logits.shape), 1e-5
    for i in np.ndindex(logits.shape):
        up, down = logits[i[0]].astype("float64"), logits[i[0]].astype("float64")
        up[i[1:]] += step
        down[i[1:]] -= step
        label = labels[i[0]]
        want[i] = (reference(label, up) - reference(label, down)) / (2 * step) / len(labels)
    assert np.abs(want).max() > 1e-3
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-7)


def test_bfloat16_logits_are_computed_in_float32(case, batch):
    loss, _ = case
    labels, logits = batch
    low = tf.cast(logits, tf.bfloat16)
    value, gradient = value_and_gradient(loss, labels, low)
    assert value.dtype == tf.float32 and gradient.dtype == tf.bfloat16
    exact, exact_gradient = value_and_gradient(loss, labels, tf.cast(low, tf.float32))
    assert float(value) == float(exact)
    np.testing.assert_allclose(tf.cast(gradient, tf.float32), exact_gradient, rtol=2**-8, atol=1e-9)
    np.testing.assert_allclose(float(value), float(loss(labels, logits)), rtol=0.01)


def test_void_pixels_count_for_nothing(case, batch):
    loss, _ = case
    labels, logits = batch
    value, gradient = value_and_gradient(loss, labels, logits)
    assert not np.any(np.array(gradient)[labels == 255])
    other = logits.copy()
    other[labels == 255] = 50 * np.arange(C)
    np.testing.assert_allclose(loss.call(labels, other), loss.call(labels, logits), rtol=1e-6)
    # Labels outside the classes, however they come, are void as well.
    for outside in (C, 200, -1):
        moved = labels.astype("int32")
        moved[labels == 255] = outside
        assert float(loss(moved, logits)) == float(value)


@pytest.mark.parametrize("name", ["ce", "dice", "focal"])
def test_a_class_can_be_the_ignore_label(name, batch):
    labels, logits = batch
    masked = labels.copy()
    masked[labels == 0] = 255
    assert float(make_loss(name, ignore_label=0)(labels, logits)) == float(make_loss(name)(masked, logits))


def test_extreme_logits_stay_finite(case, batch):
    loss, _ = case
    labels, logits = batch
    for scale in (1e4, 0.0):
        value, gradient = value_and_gradient(loss, labels, scale * logits)
        assert np.isfinite(float(value)) and np.isfinite(gradient).all()
    value, gradient = value_and_gradient(loss, np.full_like(labels, 255), logits)
    assert float(value) == 0 and not np.any(gradient)


def test_certainty_far_from_zero_keeps_its_precision():
    """Logits 1000 and 1000.5: ce = log(1 + e^-0.5) of the larger."""
    logits = np.array([[[[1000.5, 1000.0]]]], "float32")
    got = float(make_loss("ce")(np.zeros((1, 1, 1), "uint8"), logits))
    assert got == pytest.approx(np.log1p(np.exp(-0.5)), rel=1e-6)


def test_mean_over_equal_shares_is_the_mean_over_the_batch(case, batch):
    loss, _ = case
    labels, logits = batch
    whole, gradient = value_and_gradient(loss, labels, logits)
    shares = [value_and_gradient(loss, labels[i:i + 2], logits[i:i + 2]) for i in (0, 2)]
    assert float(whole) == pytest.approx(np.mean([float(value) for value, _ in shares]), rel=1e-6)
    np.testing.assert_allclose(gradient, np.concatenate([g for _, g in shares]) / 2, rtol=1e-5, atol=1e-9)


def test_graph_has_static_shapes_and_types_of_gaudi(case):
    loss, _ = case

    @tf.function(input_signature=[tf.TensorSpec((2, 6, 8), tf.uint8),
                                  tf.TensorSpec((2, 6, 8, C), tf.bfloat16)])
    def step(labels, logits):
        return value_and_gradient(loss, labels, logits)

    graph = step.get_concrete_function().graph
    for op in graph.get_operations():
        assert all(t.shape.is_fully_defined() for t in op.outputs), op.name
        assert tf.int64 not in [t.dtype for t in op.outputs] and op.type not in ("Where", "Unique"), op.name
        if op.type != "Cast":
            assert tf.uint8 not in [t.dtype for t in op.inputs], op.name


def test_config_restores_an_equal_loss(case, batch):
    loss, _ = case
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    assert float(again(*batch)) == float(loss(*batch))


def test_names_match_the_factory():
    assert {"ce", "weighted_ce", "dice", "ce_dice", "focal", "lovasz", "ce_lovasz", "ohem"} <= set(losses.names())
    # What a loss is said to take is what its class takes, and nothing is kept back.
    for component in losses.components().values():
        accepted = set(component.options)
        assert accepted == set(inspect.signature(component.target).parameters) - {"ignore_label"}


def test_a_loss_of_the_users_own(batch):
    labels, logits = batch

    def void_share(labels, logits):
        return keras.ops.cast(labels == 255, "float32")  # (B, h, w): the mean of each image is taken

    void = (labels == 255).mean((1, 2))
    np.testing.assert_allclose(make_loss(void_share).call(labels, logits), void, rtol=1e-6)
    assert float(make_loss(void_share)(labels, logits)) == pytest.approx(void.mean())
    assert float(make_loss(lambda labels, logits: 3.0)(labels, logits)) == 3
    of_keras = make_loss(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    valid = np.where(labels == 255, 0, labels)
    np.testing.assert_allclose(of_keras.call(valid, logits), make_loss("ce").call(valid, logits), rtol=1e-5)
    with pytest.raises(UsageError, match="takes no gamma; use focal"):
        make_loss(void_share, gamma=2)
    with pytest.raises(UsageError, match=r"or a function \(labels, logits\) -> loss"):
        make_loss(3)


def test_dice_of_every_class(batch):
    labels, logits = batch
    loss = make_loss("dice")
    target = np.moveaxis([labels == c for c in range(C)], 0, -1).astype("float32")
    got = np.array(loss.per_class(target, logits))
    for y, z, row in zip(labels, logits.astype("float64"), got, strict=True):
        for c in np.unique(y[y < C]):
            only = [float(i == c) for i in range(C)]
            assert row[c] == pytest.approx(image_dice(y, z, 1.0, weights=only), rel=1e-5)


def test_lovasz_of_certain_answers_is_one_minus_iou():
    """Hand-worked: truth 0 0 0 1, answer 0 0 1 1: IoU 2/3 and 1/2."""
    truth, answer = np.array([[[0, 0, 0, 1]]]), np.array([[[0, 0, 1, 1]]])
    logits = 100.0 * np.eye(2, dtype="float32")[answer]
    assert float(make_loss("lovasz")(truth, logits)) == pytest.approx((1 / 3 + 1 / 2) / 2, rel=1e-6)


def test_ohem_that_keeps_all_is_cross_entropy(batch):
    for options in ({"threshold": 1.0}, {"keep": 1.0}):
        assert float(make_loss("ohem", **options)(*batch)) == pytest.approx(float(make_loss("ce")(*batch)), rel=1e-6)

@pytest.mark.parametrize(("name", "options", "words"), [
    ("dise", {}, "Did you mean dice?"),
    ("weighted_ce", {}, "no class weights"),
    ("lovasz", {"class_weights": WEIGHTS}, "takes no class_weights; use ce, weighted_ce, dice"),
    ("dice", {"label_smoothing": 0.1}, "takes no label_smoothing; use ce"),
    ("ce", {"gamma": 2.0}, "takes no gamma; use focal, or leave it out"),
    ("ce", {"gama": 2.0}, "takes no gama$"),
    ("ohem", {"threshold": 0.0}, "threshold is 0.0"),
    ("ohem", {"keep": 1.5}, "keep is 1.5"),
    ("weighted_ce", {"class_weights": [1, -1]}, "class weight 1 is -1"),
    ("focal", {"class_weights": [float("nan")]}, "class weight 0 is nan"),
    ("ce", {"label_smoothing": 1.0}, "label_smoothing is 1.0"),
    ("focal", {"gamma": -1}, "gamma is -1"),
    ("dice", {"smooth": -1}, "smooth is -1"),
])
def test_wrong_options_are_refused(name, options, words):
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        make_loss(name, **options)


def test_misfits_are_refused(batch):
    labels, logits = batch
    with pytest.raises(UsageError, match="2 class weights for 4 classes"):
        make_loss("weighted_ce", class_weights=[1, 1])(labels, logits)
    with pytest.raises(UsageError, match="2 class weights for 4 classes"):
        make_loss("dice", class_weights=[1, 1])(labels, logits)
    with pytest.raises(UsageError, match=r"labels \(4, 3, 5, 1\) do not fit"):
        make_loss("ce")(labels[..., None], logits)
    with pytest.raises(UsageError, match=r"labels \(4, 3, 4\) do not fit"):
        make_loss("ce")(labels[:, :, :4], logits)
