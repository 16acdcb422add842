"""What a run writes beside its checkpoints, for people: metrics.csv and TensorBoard."""

import csv
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from segnet_hpu.files import write_text


def write_metrics(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write one CSV row an epoch. Written whole each time, so a resumed run leaves no doubles."""
    text = io.StringIO()
    columns = list(dict.fromkeys(key for row in history for key in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(path, text.getvalue())


class TensorBoard:
    """Writes scalars and pictures as TensorBoard's event files, without TensorFlow."""

    def __init__(self, folder: str | Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        Path(folder).mkdir(parents=True, exist_ok=True)
        self.writer = EventFileWriter(str(folder))

    def scalars(self, values: Mapping[str, float | None], step: int) -> None:
        """Write {name: number} at `step`."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(Summary(value=[Summary.Value(tag=k, simple_value=float(v)) for k, v in values.items()
                                 if v is not None]), step)

    def picture(self, name: str, picture: np.ndarray, step: int) -> None:
        """Write an RGB uint8 (H, W, 3) picture at `step`."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
        image = Summary.Image(height=picture.shape[0], width=picture.shape[1], colorspace=3,
                              encoded_image_string=png)
        self._add(Summary(value=[Summary.Value(tag=name, image=image)]), step)

    def flush(self) -> None:
        """Bring all that was written to the disk, so that a killed run loses none of it."""
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()

    def _add(self, summary: Any, step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self.writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
