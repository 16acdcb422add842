"""vgg_segnet's graph as a plain torch.nn.Module, to measure ours against."""

import torch
from torch import nn

ENCODER = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
DECODER = (512, 256, 128, 64)
MEANS = (123.68, 116.779, 103.939)


def convolutions(n_classes):
    """Yield (input channels, output channels, the output's stride) of the 3x3 convolutions, in order."""
    channels, stride = 3, 1
    for widths in ENCODER:
        for width in widths:
            yield channels, width, stride
            channels = width
        stride *= 2
    for width in DECODER:
        yield channels, width, stride
        channels, stride = width, stride // 2
    yield channels, n_classes, 2


class PlainSegNet(nn.Module):
    """RGB images uint8 (B, 3, H, W) to logits (B, n_classes, H/2, W/2)."""

    def __init__(self, n_classes):
        super().__init__()
        blocks, channels = [], 3
        for widths in ENCODER:
            for width in widths:
                blocks += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
                channels = width
            blocks.append(nn.MaxPool2d(2))
        for i, width in enumerate(DECODER):
            blocks += [nn.Upsample(scale_factor=2)] if i else []
            # Keras' momentum 0.99 is 0.01 here.
            blocks += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width, 1e-3, 0.01)]
            channels = width
        self.body = nn.Sequential(*blocks, nn.Conv2d(channels, n_classes, 3, padding=1))
        self.register_buffer("means", torch.tensor(MEANS).reshape(1, 3, 1, 1))

    def forward(self, images):
        return self.body(images.float() - self.means)
