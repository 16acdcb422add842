"""The contact sheet, against pixels counted by hand, and the page, in a real browser."""

import cv2
import keras
import numpy as np
import pytest
from odd import N_CLASSES, by_hand, write_pictures
from sklearn.metrics import confusion_matrix, jaccard_score

import browser as chromium
from segnet_hpu.cli import main
from segnet_hpu.inference.sheet import WRONG

NAMES = ["sky & sea", "<b>tree</b>", "a very long name of a class", "road"]
VALUES = (0, 1, 2, 3, 200, 255)  # the last two are no classes
PICTURES = 3


def demo(model_file, folder, *flags):
    return main(["demo", "--checkpoints_path", str(model_file), "--images_path", str(folder / "images"),
                 "--out", str(folder / "out"), "--class_names", ",".join(NAMES), "--train_engine", "cpu", *flags])


@pytest.fixture(scope="module")
def shown(tmp_path_factory, model_file):
    """(folder of the report, truths, predictions by hand) of three pictures."""
    folder = tmp_path_factory.mktemp("demo")
    images, truths = write_pictures(folder, VALUES)
    model = keras.saving.load_model(model_file)
    predictions = [by_hand(model, image) for image in images]
    assert demo(model_file, folder, "--segs_path", str(folder / "labels"), "--n", "1", "--ignore_label", "200") == 0
    return folder / "out", truths, predictions


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    program = chromium.find()
    if not program:
        pytest.skip("no Chromium here; on Debian: apt-get install chromium")
    browser = chromium.Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


def test_sheet_marks_every_wrong_pixel(shown):
    out, truths, predictions = shown
    wrong = sum(((t < N_CLASSES) & (t != p)).sum() for t, p in zip(truths, predictions, strict=True))
    sheet = cv2.imread(str(out / "sheet.png"))[..., ::-1]
    assert (sheet == WRONG).all(-1).sum() == wrong > 0


def test_page_tells_scikit_learns_figures(shown, page):
    out, truths, predictions = shown
    judged = [t < N_CLASSES for t in truths]
    pairs = [(t[k], p[k]) for t, p, k in zip(truths, predictions, judged, strict=True)]
    truth, prediction = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    page.open((out / "report.html").as_uri(), 1280)
    iou = jaccard_score(truth, prediction, average="macro")
    assert page.evaluate("document.querySelector('.tiles .figure').textContent") == f"{100 * iou:.1f} %"
    rows = page.evaluate("[...document.querySelectorAll('.classes tbody tr')].map("
                         "r => [...r.cells].map(c => c.textContent))")
    assert [row[0] for row in rows] == NAMES
    ious = jaccard_score(truth, prediction, average=None)
    assert [row[1] for row in rows] == [f"{100 * value:.1f}" for value in ious]
    assert [row[4] for row in rows] == [f"{n:,}" for n in np.bincount(truth)]
    heat = page.evaluate("[...document.querySelectorAll('.heat tbody tr')].map("
                         "r => [...r.querySelectorAll('td')].map(c => Number(c.textContent)))")
    expected = 100 * confusion_matrix(truth, prediction, normalize="true")
    assert np.abs(np.array(heat) - np.where(expected < 0.5, 0, expected)).max() <= 0.5
    means = [jaccard_score(*pair, average="macro", labels=np.unique(pair[0]), zero_division=0) for pair in pairs]
    names = page.evaluate("[...document.querySelectorAll('article h3')].map(h => h.textContent)")
    assert names == [str(np.argmin(means)), str(np.argmax(means))]


# The lowest contrast of any text with what lies behind it, as WCAG 2 defines it.
CONTRAST = """(() => {
  const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const light = colour => rgba(colour).slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const worst = {ratio: 99};
  for (const element of document.body.querySelectorAll('*')) {
    if (![...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(element);
    let behind = element;
    while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const grounds = [getComputedStyle(behind || document.body).backgroundColor];
    if (element.className === 'bar') grounds.push(style.getPropertyValue('--bar'));
    for (const ground of grounds)
      if (ratio(style.color, ground) < worst.ratio)
        Object.assign(worst, {ratio: ratio(style.color, ground), text: element.textContent, ground});
  }
  return worst;
})()"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_stands_alone_and_fits(shown, page, width, dark):
    out, _, _ = shown
    address = (out / "report.html").as_uri()
    page.open(address, width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    pictures = page.evaluate("[...document.images].map(i => [i.naturalWidth > 0, i.alt])")
    assert len(pictures) == 2 * 4 and all(drawn and alt for drawn, alt in pictures)
    worst = page.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst
    said = [event for event in page.events
            if event[0] in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")]
    assert not said
    asked = {event["request"]["url"] for method, event in page.events if method == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith("data:")} == {address}


def test_without_labels_only_image_and_prediction(tmp_path, model_file, page):
    write_pictures(tmp_path)
    assert demo(model_file, tmp_path) == 0
    page.open((tmp_path / "out/report.html").as_uri(), 390)
    assert page.evaluate("document.images.length") == 2 * PICTURES
    assert page.evaluate("document.querySelectorAll('.tiles, .heat').length") == 0
    shares = page.evaluate("[...document.querySelectorAll('.classes td.bar')].map(c => Number(c.textContent))")
    assert len(shares) == N_CLASSES and sum(shares) == pytest.approx(100, abs=0.2)
    height, width = cv2.imread(str(tmp_path / "out/sheet.png")).shape[:2]
    assert width < 2 * 60 + 250 and height > 37 + 64 + 29


def test_out_that_would_mix_with_the_pictures_is_refused(tmp_path, model_file, capsys):
    write_pictures(tmp_path)
    assert demo(model_file, tmp_path, "--out", str(tmp_path / "images")) == 2
    err = capsys.readouterr().err
    assert "--out" in err and "--images_path" in err and err.count("\n") == 1


def test_a_runs_own_page_is_kept(tmp_path, model_file, capsys):
    write_pictures(tmp_path)
    (tmp_path / "out").mkdir()
    for name in ("config.yaml", "report.html"):
        (tmp_path / "out" / name).write_text("of the run")
    assert demo(model_file, tmp_path) == 2
    line, = capsys.readouterr().err.splitlines()
    assert "out is the folder of a run" in line
    assert sorted((p.name, p.read_text()) for p in (tmp_path / "out").iterdir()) == [
        ("config.yaml", "of the run"), ("report.html", "of the run")]


def test_a_data_set_is_shown_by_its_description(tmp_path, model_file, capsys):
    """As the lines that a refusal prints advise."""
    _, labels = write_pictures(tmp_path)
    for i, label in enumerate(labels):
        cv2.imwrite(str(tmp_path / f"labels/{i}.png"), 50 * label)
    text = ("classes: [{}]\nlabel_values: {{a: 0, b: 50, c: 100, d: 150}}\n"
            "splits: {{val: {{images: images, labels: labels}}}}")
    argv = ["demo", "--checkpoints_path", str(model_file), "--dataset", str(tmp_path / "set.yaml"), "--train_engine",
            "cpu", "--out", str(tmp_path / "out")]
    (tmp_path / "set.yaml").write_text(text.format("b, a, c, d"))
    assert main(argv) == 2
    assert "has class 0 a, --dataset set b; expected the same classes" in capsys.readouterr().err
    (tmp_path / "set.yaml").write_text(text.format("a, b, c, d"))
    assert main(argv) == 0
    assert "mean IoU" in capsys.readouterr().out and (tmp_path / "out/sheet.png").exists()
    assert main([*argv, "--images_path", str(tmp_path / "images")]) == 2
    assert main(argv[:3] + argv[5:]) == 2 and "--images_path must be given" in capsys.readouterr().err
