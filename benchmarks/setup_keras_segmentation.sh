#!/bin/sh
# Makes a Python environment in which keras_segmentation 0.3.0 runs, to measure against.
# usage: benchmarks/setup_keras_segmentation.sh DIR [PYTHON]   (PYTHON: 3.9 to 3.11)
set -eu

if [ $# -lt 1 ]; then
    echo "usage: $0 DIR [PYTHON]; DIR is where the environment is made" >&2
    exit 2
fi
dir=$1
python=${2:-python3.11}

[ -x "$dir/bin/python" ] || "$python" -m venv "$dir"
"$dir/bin/python" -m pip install --quiet "tensorflow-cpu==2.15.1" "numpy==1.26.4" h5py \
    imageio six scikit-image shapely scipy matplotlib Pillow tqdm
# These two name the full OpenCV as a dependency, which needs a display's libraries and a newer NumPy.
"$dir/bin/python" -m pip install --quiet --no-deps "opencv-python-headless<4.12" "imgaug==0.4.0" \
    "keras-segmentation==0.3.0"
"$dir/bin/python" -c "import keras_segmentation.train" 2>/dev/null ||
    { "$dir/bin/python" -c "import keras_segmentation.train"; exit 1; }
echo "keras_segmentation 0.3.0 runs with $dir/bin/python"
