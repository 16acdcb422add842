"""PyTorch's devices. It takes a GPU's memory as it needs it, and TF32 for convolutions alone, as is its default."""

import os

# PyTorch's import may load Habana's bridge, which reads it: operators one by one, as Keras gives them.
os.environ.setdefault("PT_HPU_LAZY_MODE", "0")

import torch  # noqa: E402

from segnet_hpu.runtime.backends.base import Backend  # noqa: E402


class Torch(Backend):
    name = "torch"

    def gpus(self) -> list[str]:
        return [torch.cuda.get_device_name(card) for card in range(torch.cuda.device_count())]

    def why_no_gpu(self) -> str:
        if torch.version.cuda is None:
            return (f"PyTorch {torch.__version__} here is built without CUDA; expected one with it. "
                    "Run run_scripts/setup_env.sh gpu --backend torch")
        return ("PyTorch sees no GPU; expected one that nvidia-smi lists. Install NVIDIA's driver, "
                "see that CUDA_VISIBLE_DEVICES does not hide the GPU")

    def use_gpu(self, card: int) -> None:
        torch.cuda.set_device(card)
        self.compute_on("cuda")  # that card; Keras compares with the plain name

    def use_cpu(self) -> None:
        self.compute_on("cpu")

    def compute_on(self, device: str) -> None:
        """Let Keras make its tensors on a device of PyTorch's."""
        os.environ["KERAS_TORCH_DEVICE"] = device  # Keras 3.14 and later read it at their import
        from segnet_hpu.runtime.keras_internals.torch import use_device

        use_device(device)

    def set_threads(self, threads: int) -> None:
        torch.set_num_threads(threads)

    def make_deterministic(self) -> None:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS' sums vary
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True)


BACKEND = Torch()
