"""Videos: every frame labelled as its picture would be, in order, and a stopped run leaves a playable file."""

import os
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from odd import build, by_hand

from segnet_hpu.cli import main
from segnet_hpu.data.classes import palette
from segnet_hpu.errors import Stopped, UsageError
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.inference.test_time_augmentation import AugmentedPredictor
from segnet_hpu.inference.tiled import TiledPredictor
from segnet_hpu.inference.video import label_video
from segnet_hpu.inference.video_files import VideoReader
from segnet_hpu.models.all_models import with_methods
from segnet_hpu.predict import predict_video

SIZE, FPS, FRAMES = (64, 96), 12.0, 23


def write_video(path, frames=FRAMES, codec="mp4v"):
    """A bright stripe wanders to the right over smooth noise."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), FPS, SIZE[::-1])
    noise = cv2.resize(np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8), SIZE[::-1])
    for i in range(frames):
        frame = noise.copy()
        frame[:, 4 * i % 90:4 * i % 90 + 6] = 255
        writer.write(frame)
    writer.release()
    return path


def read_video(path):
    """The frames (N, y, x, 3) RGB and the rate, by OpenCV alone."""
    capture, frames = cv2.VideoCapture(str(path)), []
    while (item := capture.read())[0]:
        frames.append(item[1][..., ::-1])
    return np.array(frames), capture.get(cv2.CAP_PROP_FPS)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "in.mp4")


@pytest.fixture(scope="module")
def expected(video, model):
    """The frames and their class maps."""
    frames, _ = read_video(video)
    return frames, [by_hand(model, frame) for frame in frames]


def test_a_url_and_a_pattern_of_pictures(tmp_path, video, expected):
    for i, frame in enumerate(expected[0][:3]):
        cv2.imwrite(str(tmp_path / f"frames_{i:04d}.png"), frame[..., ::-1])
    for source, count, frames in ((tmp_path / "frames_%04d.png", 3, expected[0][:3]),
                                  (video.as_uri(), None, expected[0])):
        with VideoReader(source) as reader:
            assert reader.count == count
            np.testing.assert_array_equal(list(reader), frames)


class Collector(list):
    write = list.append


@pytest.mark.parametrize("batch_size", [1, 4])
def test_every_frame_in_order(video, model, expected, batch_size):
    pictures = Collector()
    with VideoReader(video) as reader:
        assert (reader.fps, reader.count) == (FPS, FRAMES)
        n = label_video(Predictor(model, batch_size), reader, lambda image, classes: (image, classes), pictures)
    assert n == FRAMES == len(pictures)
    for (image, classes), frame, by_hand_ in zip(pictures, *expected, strict=True):
        np.testing.assert_array_equal(image, frame)
        np.testing.assert_array_equal(classes, by_hand_)


@pytest.mark.parametrize("make", [lambda model: AugmentedPredictor(model, flip=True),
                                  lambda model: TiledPredictor(Predictor(model))])
def test_other_predictors(video, model, expected, make):
    pictures = Collector()
    with VideoReader(video) as reader:
        label_video(make(model), reader, lambda image, classes: classes, pictures)
    for i in (0, FRAMES - 1):
        np.testing.assert_array_equal(pictures[i], make(model).predict([expected[0][i]])[0])


def test_command(tmp_path, video, model_file, expected, capsys):
    out = tmp_path / "new/out.mp4"
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input", str(video), "--output_file",
                 str(out)]) == 0
    found, fps = read_video(out)
    assert found.shape == (FRAMES, *SIZE, 3) and fps == FPS
    drawn = np.array([(frame.astype(float) + palette(None, 4)[classes]) / 2
                      for frame, classes in zip(*expected, strict=True)])
    # MPEG-4 is lossy; the nearest frame is still the right one.
    difference = np.abs(found[:, None].astype(float) - drawn[None]).mean((2, 3, 4))
    np.testing.assert_array_equal(difference.argmin(1), np.arange(FRAMES))
    assert np.diag(difference).max() < 12
    assert f"{FRAMES} frames of {video} labelled" in capsys.readouterr().out
    assert [p.name for p in out.parent.iterdir()] == ["out.mp4"]


def test_colours_legend_and_caption(tmp_path, video, model_file, expected):
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input_path", str(video), "--output_path",
                 str(tmp_path / "out.avi"), "--overlay", "false", "--legend", "--fps_caption"]) == 0
    found, _ = read_video(tmp_path / "out.avi")
    assert found.shape[:2] == (FRAMES, SIZE[0]) and found.shape[2] > SIZE[1] + 20
    colours = palette(None, 4)[expected[1][5]].astype(float)
    below = np.s_[30:, :SIZE[1]]  # the caption stands above
    assert np.abs(found[5][below] - colours[30:]).mean() < 25
    assert np.abs(found[5][:20, :60] - colours[:20, :60]).mean() > 30


def test_as_keras_segmentation_has_it(tmp_path, video, model_file, expected):
    model = with_methods(build())
    assert predict_video(model=model, inp=str(video), output=str(tmp_path / "a.mp4")) is None
    predict_video(checkpoints_path=str(model_file), inp=str(video), output=str(tmp_path / "b.mp4"),
                  prediction_width=48, prediction_height=32, overlay_img=False, show_legends=True,
                  class_names=list("abcd"), colors=[(255, 0, 0)] * 4)
    first, second = (read_video(tmp_path / name)[0] for name in ("a.mp4", "b.mp4"))
    over = (expected[0][3].astype(float) + palette(None, 4)[expected[1][3]]) / 2
    assert first.shape == (FRAMES, *SIZE, 3) and np.abs(first[3] - over).mean() < 12
    assert len(second) == FRAMES and second.shape[1] == 32
    np.testing.assert_allclose(second[:, 8:24, 8:40].mean((0, 1, 2)), (0, 0, 255), atol=12)  # colors are BGR


def stop_at(monkeypatch, number, frame=5):
    """Send this process a signal while frame `frame` is read."""
    read = VideoReader.read

    def reading(self):
        if self.frames == frame:
            os.kill(os.getpid(), number)
        return read(self)

    monkeypatch.setattr(VideoReader, "read", reading)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped(tmp_path, video, model_file, monkeypatch, capsys, number):
    video = write_video(tmp_path / "long.mp4", 300)
    stop_at(monkeypatch, number)
    out = tmp_path / "out.mp4"
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input_path", str(video), "--output_path",
                 str(out)]) == 128 + number
    found, fps = read_video(out)
    assert 0 < len(found) < 300 and fps == FPS
    line, = capsys.readouterr().err.splitlines()
    assert f"stopped; {len(found)} frames of {video} labelled" in line


def test_stopped_from_python(tmp_path, video, monkeypatch):
    stop_at(monkeypatch, signal.SIGINT)
    with pytest.raises(Stopped):
        predict_video(model=build(), inp=str(video), output=str(tmp_path / "out.mp4"))
    assert len(read_video(tmp_path / "out.mp4")[0]) < FRAMES


def test_a_process_that_is_terminated(tmp_path, model_file):
    write_video(tmp_path / "in.mp4", 20000)
    process = subprocess.Popen([sys.executable, "-m", "segnet_hpu", "predict_video", "--checkpoints_path", model_file,
                                "--input_path", "in.mp4", "--output_path", "out.mp4", "--train_engine", "cpu"],
                               cwd=tmp_path, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    until = time.monotonic() + 120
    while not (tmp_path / ".out.partial.mp4").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.terminate()
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGTERM, err
    found, _ = read_video(tmp_path / "out.mp4")
    assert f"segnet-hpu: stopped; {len(found)} frame" in err.splitlines()[-1]
    assert 0 < len(found) < 20000 and not (tmp_path / ".out.partial.mp4").exists()


def test_an_error_on_the_way_leaves_what_was_written(tmp_path, video, model_file, monkeypatch, capsys):
    from segnet_hpu.inference import render

    overlay, calls = render.overlay, []

    def failing(*args):
        calls.append(args)
        if len(calls) == 9:
            raise UsageError("broken here")
        return overlay(*args)

    monkeypatch.setattr(render, "overlay", failing)
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input_path", str(video), "--output_path",
                 str(tmp_path / "out.mp4")]) == 2
    assert "broken here" in capsys.readouterr().err
    assert len(read_video(tmp_path / "out.mp4")[0]) > 0


def test_a_video_that_is_cut_short(tmp_path, model_file, capsys):
    data = write_video(tmp_path / "in.avi", 60, "MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[:len(data) // 2])
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input_path", str(tmp_path / "cut.avi"),
                 "--output_path", str(tmp_path / "out.mp4")]) == 0
    found = len(read_video(tmp_path / "out.mp4")[0])
    assert 0 < found < 60
    assert f"cut.avi ends after {found} of 60 frames" in capsys.readouterr().err


@pytest.mark.parametrize("flags,words", [
    (["--input_path", "nowhere.mp4"], ["nowhere.mp4: no such file", "camera"]),
    (["--input_path", "text.mp4"], ["text.mp4: no video"]),
    (["--input_path", "99999999999"], ["99999999999: no such file", "camera"]),
    (["--input_path", "frames_%04d.png"], ["frames_%04d.png: no video"]),
    (["--input_path", "http://127.0.0.1:9/in.mp4"], ["http://127.0.0.1:9/in.mp4: no video"]),
    (["--input_path", "97"], ["camera 97: no such camera"]),
    (["--output_path", "out.gif"], ["--output_path out.gif", ".mp4"]),
    (["--output_path", "in.mp4"], ["is the video itself"]),
    (["--output_path", "none"], ["--output_path F.mp4", "--display"]),
    (["--display"], ["--display needs a screen", "DISPLAY"]),
    (["--checkpoints_path", "nowhere.keras"], ["no checkpoint at nowhere.keras"]),
])
def test_refusals(tmp_path, video, model_file, monkeypatch, capfd, flags, words):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "in.mp4").write_bytes(video.read_bytes())
    (tmp_path / "text.mp4").write_text("hello")
    before = {p: p.read_bytes() for p in tmp_path.iterdir()}
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input_path", "in.mp4", "--output_path",
                 "out.mp4", *flags]) == 2
    line, = capfd.readouterr().err.splitlines()
    assert all(word in line for word in words), line
    assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_real_road(tmp_path, real_data, model_file):
    source = real_data / "video/solidWhiteRight.mp4"
    assert main(["predict_video", "--checkpoints_path", str(model_file), "--input_path", str(source), "--output_path",
                 str(tmp_path / "out.mp4"), "--batch_size", "4"]) == 0
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert [capture.get(p) for p in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_WIDTH,
                                     cv2.CAP_PROP_FRAME_HEIGHT)] == [221, 25, 960, 540]
