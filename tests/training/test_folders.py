"""What a run folder keeps, and from whom it is kept."""

import signal

import keras
import pytest

from runs import flags, plain, rows, run, small
from segnet_hpu.errors import UsageError
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.runtime.ranks import ALONE
from segnet_hpu.training import checkpoint
from segnet_hpu.training.averaged_weights import AveragedWeights
from segnet_hpu.training.checkpoint_writer import CheckpointWriter
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.state import State


def settings(**values):
    return Settings(model_name="vgg_segnet", n_classes=3, train_images="a", train_annotations="b", **values)


@pytest.mark.parametrize("resume", [False, True])
def test_another_models_run_is_left_alone(tmp_path, data, resume):
    argv = flags(**data, epochs=1, auto_resume_checkpoint=resume)
    status, _, err = run(tmp_path, *argv, model=plain)
    assert status == 0, err
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    status, _, err = run(tmp_path, *argv, "--model_name=unet_mini", model=plain)
    assert status == 2 and "run holds a run of another model; choose another --model_dir" in err
    assert {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()} == before


def test_a_run_that_goes_on_needs_its_first_weights_no_more(tmp_path, data):
    first = tmp_path / "first.keras"
    keras.utils.clear_session()  # layers are found by their names
    small().save(first)
    argv = flags(**data, epochs=2, init_from=str(first), auto_resume_checkpoint=True)
    status, _, err = run(tmp_path, *argv, model=small, signal_at=(signal.SIGKILL, ("epoch", 1)))
    assert status == -signal.SIGKILL, err
    first.unlink()
    status, _, err = run(tmp_path, *argv, model=small)
    assert status == 0 and len(rows(tmp_path)) == 2, err


@pytest.mark.parametrize("keep", [1, 2])
def test_broken_and_half_written_checkpoints_make_way(tmp_path, keep):
    """The run went on from 1, because 2 is torn."""
    model = plain()
    model.compile(make_optimizer("sgd", 0.01), make_loss("ce"), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    given = settings(model_dir=str(tmp_path), keep_checkpoints=keep)
    places = RunFolder.of(given, "net")
    writer = CheckpointWriter(given, places, TrainedModel(model, made_with={"n_classes": 3}), 10, ALONE,
                              AveragedWeights(model))
    writer.save(State(step=10, epoch=1))
    (places.prefix.parent / "net.2.keras").write_bytes(b"torn")
    for name in (".net.1-3.partial.keras", ".net.v2.1-3.partial.keras"):
        (places.prefix.parent / name).write_bytes(b"half")
    for step in (13, 16):
        writer.save(State(step=step, epoch=1))
        assert checkpoint.restore_newest(places.prefix, model, {}, pytest.fail).step == step
    names = [p.name for p in checkpoint.list_checkpoints(places.prefix)]
    assert names == ["net.1-3.keras", "net.1-6.keras"][-keep:]
    # Another run's, which may be at it.
    assert [p.name for p in places.prefix.parent.glob(".*")] == [".net.v2.1-3.partial.keras"]


def test_a_prefix_without_a_name_is_refused():
    with pytest.raises(UsageError, match="--checkpoints_path . is a folder"):
        RunFolder.of(settings(checkpoints_path="."), "net")
