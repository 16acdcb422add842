#!/usr/bin/env python3
"""Habana's demo_segnet.py by its name: hands the command and its flags, as they are, to python -m segnet_hpu.

    python3 run_scripts/demo_segnet.py train --model_name=vgg_segnet --n_classes=12 --data_type=bf16 ...

The Python is that of .venv where setup_env.sh made one, else the one that runs this. Paths are relative to the folder
that it is started in.
"""

import os
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
made = root / ".venv/bin/python"
python = str(made if made.exists() else sys.executable)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
os.execv(python, [python, "-m", "segnet_hpu", *sys.argv[1:]])
