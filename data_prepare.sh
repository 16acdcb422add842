#!/usr/bin/env bash
# Brings dataset1/ (CamVid, 12 classes, in keras_segmentation's layout) into place:
#   ./data_prepare.sh [--out dataset1] [--fallback none]
# Keeps a complete one; unpacks SEGNET_DATASET1=/path/dataset1.zip if set; else downloads it (about 150 MB).
# --dataset1_sha256 HEX (or SEGNET_DATASET1_SHA256) holds the zip to a checksum; none is published.
# Without a network: draws 40 sample scenes (about 6 s). PYTHON=... picks the interpreter.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -z ${PYTHON:-} ]]; then
    PYTHON=$here/.venv/bin/python
    [[ -x $PYTHON ]] || PYTHON=python3
fi
PYTHONPATH=$here${PYTHONPATH:+:$PYTHONPATH} exec "$PYTHON" -m segnet_hpu prepare_data "$@"
