"""A training step of vgg_segnet on one device: ours on a backend of Keras, or the same graph as plain PyTorch.

    python benchmarks/gpu_step.py torch|jax|tensorflow|pytorch [--data_type bf16] [--compile] [--height 320]
        [--width 640] [--batch 16] [--steps 20]

`pytorch` is a torch.nn.Module in channels_last memory under autocast, with fused Adam, compiled if asked. All
take uint8 images and labels from host memory at every step, as a loader brings them. Prints one JSON object:
images a second (median and quartiles of the steps' times), the arithmetic of the convolutions in TFLOP/s (three
times the forward pass's) and its share of the card's bf16 peak where that is known.
"""

import argparse
import json
import statistics
import time

import numpy as np

CLASSES = 12
# Dense bf16 peak of the makers' data sheets, in FLOP/s, by a part of the card's name.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}


def batches(flags):
    """Yield (images uint8, labels uint8 at half the size) without end, four in turn."""
    rng = np.random.default_rng(0)
    size = (flags.batch, flags.height, flags.width)
    made = [(rng.integers(0, 256, (*size, 3), np.uint8),
             rng.integers(0, CLASSES, (flags.batch, flags.height // 2, flags.width // 2), np.uint8))
            for _ in range(4)]
    while True:
        yield from made


def ours(flags):
    """Return (step, device's description, wait) of our own training."""
    from segnet_hpu.runtime.device import select_device

    device = select_device(backend=flags.kind)
    from segnet_hpu.models.build import build_model
    from segnet_hpu.objectives.accuracy import count_pixels
    from segnet_hpu.objectives.losses import make_loss
    from segnet_hpu.objectives.optimizers import make_optimizer
    from segnet_hpu.runtime.precision import set_precision
    from segnet_hpu.training.step import make_train_step

    set_precision(flags.data_type, device)
    model = build_model("vgg_segnet", CLASSES, flags.height, flags.width)
    model.compile(make_optimizer("adam", 1e-4), make_loss("ce"), jit_compile=flags.compile or device.jit_compile)
    model.optimizer.build(model.trainable_variables)
    step = make_train_step(model, model.loss, count_pixels)
    # It returns its loss as a number: the device has ended.
    return step, device.description, lambda: None


def pytorch(flags):
    """Return (step, device's name, wait) of a plain PyTorch training."""
    import torch
    from plain_segnet import PlainSegNet

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    net = PlainSegNet(CLASSES).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), 1e-4, fused=True)
    forward = torch.compile(net) if flags.compile else net
    autocast = torch.autocast(device, torch.bfloat16, enabled=flags.data_type == "bf16")

    def step(images, labels):
        images = torch.from_numpy(images).to(device, non_blocking=True).permute(0, 3, 1, 2)
        labels = torch.from_numpy(labels).to(device, non_blocking=True).long()
        optimizer.zero_grad(set_to_none=True)
        with autocast:
            logits = forward(images)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()

    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    return step, torch.cuda.get_device_name() if device == "cuda" else "CPU", wait


def forward_flops(flags):
    """Floating-point operations of the convolutions of one image's forward pass."""
    from plain_segnet import convolutions

    return sum(2 * 9 * inputs * outputs * (flags.height // stride) * (flags.width // stride)
               for inputs, outputs, stride in convolutions(CLASSES))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("torch", "jax", "tensorflow", "pytorch"))
    parser.add_argument("--data_type", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--compile", action="store_true")
    for name, default in (("height", 320), ("width", 640), ("batch", 16), ("steps", 20), ("warmup", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    flags = parser.parse_args()
    began = time.perf_counter()
    step, device, wait = pytorch(flags) if flags.kind == "pytorch" else ours(flags)
    seconds = []
    for number, batch in zip(range(flags.warmup + flags.steps), batches(flags), strict=False):
        wait()
        start = time.perf_counter()
        step(*batch)
        wait()
        seconds.append(time.perf_counter() - start)
        if number == flags.warmup - 1:
            warm = time.perf_counter() - began
    low, middle, high = statistics.quantiles(seconds[flags.warmup:], n=4)
    rate = flags.batch / middle
    flops = 3 * forward_flops(flags) * rate
    peak = next((peak for name, peak in PEAKS.items() if name in device), None)
    print(json.dumps({
        "step": flags.kind + ("+compile" if flags.compile else ""), "data_type": flags.data_type, "device": device,
        "batch": flags.batch, "size": [flags.height, flags.width], "images_per_second": round(rate, 2),
        "quartiles": [round(flags.batch / high, 2), round(flags.batch / low, 2)], "tflops": round(flops / 1e12, 2),
        "share_of_bf16_peak": round(flops / peak, 4) if peak else None, "seconds_to_warm": round(warm, 1)}),
        flush=True)


if __name__ == "__main__":
    main()
