from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = (HERE / "segnet_hpu" / "__init__.py").read_text().split('__version__ = "')[1].split('"')[0]

setup(
    name="segnet_hpu",
    version=VERSION,
    description="Train, judge and ship semantic-segmentation networks on Gaudi, GPU or CPU",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    packages=find_packages(include=["segnet_hpu", "segnet_hpu.*"]),
    package_data={"segnet_hpu": ["py.typed"], "segnet_hpu.inference.report": ["*.css"],
                  "segnet_hpu.data.datasets.public": ["*.yaml"]},
    python_requires=">=3.10,<3.14",
    install_requires=(HERE / "requirements.txt").read_text().split("\n"),
    extras_require={
        # Gaudi's own versions do not satisfy pip's resolver together:
        # run_scripts/setup_env.sh installs them in steps.
        "cpu": ["tensorflow-cpu>=2.15,<2.22", "keras>=3.12.4,<3.16"],
        "gpu": ["tensorflow[and-cuda]>=2.15,<2.22", "keras>=3.12.4,<3.16"],
        "hpu": ["tensorflow-cpu==2.15.0"],
        "horovod": ["horovod==0.28.1"],
        "export": ["tf2onnx>=1.17", "onnx>=1.17", "onnxruntime>=1.17", "onnxscript>=0.5"],
        "openvino": ["openvino>=2025.1"],
        "torch": ["torch>=2.5", "keras>=3.12.4,<3.16"],
        "jax": ["jax>=0.5", "keras>=3.12.4,<3.16"],
        "tune": ["optuna>=4,<6", "matplotlib>=3.7"],
        "dev": ["pytest>=8", "scikit-learn>=1.3", "ruff>=0.5", "mypy>=1.10", "types-PyYAML", "types-tqdm"],
    },
    entry_points={"console_scripts": ["segnet-hpu = segnet_hpu.cli:main"]},
)
