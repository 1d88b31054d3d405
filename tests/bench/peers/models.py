"""The built-in networks as a PyTorch user writes them, with the names that Mantissa gives them.

    net = models.make("resnet18", width=1.0, classes=10)
    logits = net(images)                            # [N, classes]
    logits = net(images, through=checkpoint_block)  # through(block, x) runs each block

Sizes, names and order of parameters are compared with Mantissa's in each run (compare.py).
"""

import math

import torch
from torch import nn


def round_channels(channels, width):
    """The multiple of d nearest to `channels`, at least d; one d more if below 0.9 of them."""
    d = 4 if width <= 0.25 else 8
    rounded = max(d, int(channels + d / 2) // d * d)
    return rounded + d if rounded < 0.9 * channels else rounded


def conv(inputs, outputs, kernel=1, stride=1, groups=1, bias=False):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias)


def run_block(block, x):
    return block(x)


class Network(nn.Module):
    """Stem, blocks, head: each is a unit of activation checkpointing."""

    def forward(self, x, through=run_block):
        for block in [self.stem, *self.blocks(), self.head]:
            x = through(block, x)
        return x


class ResidualBlock(nn.Module):

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = conv(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(outputs, outputs, 3)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        self.relu3 = nn.ReLU()

    def forward(self, x):
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu3(out + self.shortcut(x))


class ResNet18(Network):

    def __init__(self, width, classes):
        super().__init__()
        sizes = [round_channels(width * channels, width) for channels in (64, 128, 256, 512)]
        self.conv1 = conv(3, sizes[0], 3)
        self.bn1 = nn.BatchNorm2d(sizes[0])
        self.relu1 = nn.ReLU()
        inputs = sizes[0]
        for layer, size in enumerate(sizes, 1):
            first = ResidualBlock(inputs, size, 1 if layer == 1 else 2)
            setattr(self, f"layer{layer}", nn.Sequential(first, ResidualBlock(size, size, 1)))
            inputs = size
        self.linear = nn.Linear(inputs, classes)

    def stem(self, x):
        return self.relu1(self.bn1(self.conv1(x)))

    def blocks(self):
        return [*self.layer1, *self.layer2, *self.layer3, *self.layer4]

    def head(self, x):
        return self.linear(torch.flatten(nn.functional.avg_pool2d(x, 4), 1))


class InvertedResidual(nn.Module):

    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        hidden = expansion * inputs
        self.conv1 = conv(inputs, hidden)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(hidden, hidden, 3, stride, groups=hidden)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.relu2 = nn.ReLU()
        self.conv3 = conv(hidden, outputs)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.residual = stride == 1
        if self.residual and inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs), nn.BatchNorm2d(outputs))
        else:
            self.shortcut = nn.Sequential()

    def forward(self, x):
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return out + self.shortcut(x) if self.residual else out


class MobileNetV2(Network):

    # Expansion, channels, repeats, stride of the first.
    STAGES = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
              (6, 160, 3, 2), (6, 320, 1, 1)]

    def __init__(self, width, classes):
        super().__init__()
        inputs = round_channels(width * 32, width)
        self.conv1 = conv(3, inputs, 3)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        layers = []
        for expansion, channels, repeats, stride in self.STAGES:
            outputs = round_channels(width * channels, width)
            for repeat in range(repeats):
                layers.append(
                    InvertedResidual(inputs, outputs, expansion, stride if repeat == 0 else 1))
                inputs = outputs
        self.layers = nn.Sequential(*layers)
        last = round_channels(1280 * max(1.0, width), width)
        self.conv2 = conv(inputs, last)
        self.bn2 = nn.BatchNorm2d(last)
        self.relu2 = nn.ReLU()
        self.linear = nn.Linear(last, classes)

    def stem(self, x):
        return self.relu1(self.bn1(self.conv1(x)))

    def blocks(self):
        return list(self.layers)

    def head(self, x):
        x = self.relu2(self.bn2(self.conv2(x)))
        return self.linear(torch.flatten(nn.functional.avg_pool2d(x, 4), 1))


def shuffle(x):
    """Interleaves two groups of channels."""
    n, channels, height, width = x.shape
    return x.view(n, 2, channels // 2, height, width).transpose(1, 2).reshape(x.shape)


class DownBlock(nn.Module):

    def __init__(self, inputs, outputs):
        super().__init__()
        mid = outputs // 2
        self.conv1 = conv(inputs, inputs, 3, 2, groups=inputs)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv2 = conv(inputs, mid)
        self.bn2 = nn.BatchNorm2d(mid)
        self.relu2 = nn.ReLU()
        self.conv3 = conv(inputs, mid)
        self.bn3 = nn.BatchNorm2d(mid)
        self.relu3 = nn.ReLU()
        self.conv4 = conv(mid, mid, 3, 2, groups=mid)
        self.bn4 = nn.BatchNorm2d(mid)
        self.conv5 = conv(mid, mid)
        self.bn5 = nn.BatchNorm2d(mid)
        self.relu5 = nn.ReLU()

    def forward(self, x):
        left = self.relu2(self.bn2(self.conv2(self.bn1(self.conv1(x)))))
        right = self.relu3(self.bn3(self.conv3(x)))
        right = self.relu5(self.bn5(self.conv5(self.bn4(self.conv4(right)))))
        return shuffle(torch.cat([left, right], 1))


class ShuffleBlock(nn.Module):

    def __init__(self, channels):
        super().__init__()
        half = channels // 2
        self.conv1 = conv(half, half)
        self.bn1 = nn.BatchNorm2d(half)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(half, half, 3, groups=half)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = conv(half, half)
        self.bn3 = nn.BatchNorm2d(half)
        self.relu3 = nn.ReLU()

    def forward(self, x):
        kept, out = x.chunk(2, 1)
        out = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(out)))))
        return shuffle(torch.cat([kept, self.relu3(self.bn3(self.conv3(out)))], 1))


class ShuffleNetV2(Network):

    CHANNELS = {0.1: (12, 24, 48), 0.15: (16, 32, 64), 0.2: (24, 48, 96), 0.25: (28, 56, 112),
                0.5: (56, 112, 224), 0.75: (88, 176, 352), 1.0: (116, 232, 464),
                1.5: (176, 352, 704), 2.0: (244, 488, 976)}
    STEM = 24

    def __init__(self, width, classes):
        super().__init__()
        self.conv1 = conv(3, self.STEM, 3)
        self.bn1 = nn.BatchNorm2d(self.STEM)
        self.relu1 = nn.ReLU()
        inputs = self.STEM
        for layer, (size, repeats) in enumerate(zip(self.CHANNELS[width], (3, 7, 3)), 1):
            blocks = [DownBlock(inputs, size)] + [ShuffleBlock(size) for _ in range(repeats)]
            setattr(self, f"layer{layer}", nn.Sequential(*blocks))
            inputs = size
        last = 2048 if width == 2.0 else 1024
        self.conv2 = conv(inputs, last)
        self.bn2 = nn.BatchNorm2d(last)
        self.relu2 = nn.ReLU()
        self.linear = nn.Linear(last, classes)

    def stem(self, x):
        return self.relu1(self.bn1(self.conv1(x)))

    def blocks(self):
        return [*self.layer1, *self.layer2, *self.layer3]

    def head(self, x):
        x = self.relu2(self.bn2(self.conv2(x)))
        return self.linear(torch.flatten(nn.functional.avg_pool2d(x, 4), 1))


class Fire(nn.Module):

    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.conv1 = conv(inputs, squeeze, bias=True)
        self.bn1 = nn.BatchNorm2d(squeeze)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(squeeze, expand, bias=True)
        self.bn2 = nn.BatchNorm2d(expand)
        self.conv3 = conv(squeeze, expand, 3, bias=True)
        self.bn3 = nn.BatchNorm2d(expand)
        self.relu2 = nn.ReLU()

    def forward(self, x):
        x = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(torch.cat([self.bn2(self.conv2(x)), self.bn3(self.conv3(x))], 1))


class SqueezeNet(Network):

    # Channels of the stem, then (squeeze, expand) of fire2 to fire9.
    SIZES = {
        0.1: (12, (4, 8), (4, 8), (4, 12), (4, 12), (8, 20), (8, 20), (8, 24), (8, 256)),
        0.15: (16, (4, 12), (4, 12), (8, 20), (8, 20), (8, 28), (8, 28), (12, 40), (12, 256)),
        0.2: (20, (4, 12), (4, 12), (8, 24), (8, 24), (12, 40), (12, 40), (12, 52), (12, 256)),
        0.25: (24, (4, 16), (4, 16), (8, 32), (8, 32), (12, 48), (12, 48), (16, 64), (16, 256)),
        0.5: (48, (8, 32), (8, 32), (16, 64), (16, 64), (24, 96), (24, 96), (32, 128), (32, 256)),
        1.0: (96, (16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256),
              (64, 256)),
    }

    def __init__(self, width, classes):
        super().__init__()
        stem, *fires = self.SIZES[width]
        self.conv1 = conv(3, stem, 3, bias=True)
        self.bn1 = nn.BatchNorm2d(stem)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(2)
        inputs = stem
        for number, (squeeze, expand) in enumerate(fires, 2):
            setattr(self, f"fire{number}", Fire(inputs, squeeze, expand))
            inputs = 2 * expand
        self.conv2 = conv(inputs, classes, bias=True)

    def stem(self, x):
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))

    def blocks(self):
        return [self.fire2, self.fire3, self.fire4, self.maxpool, self.fire5, self.fire6,
                self.fire7, self.fire8, self.maxpool, self.fire9]

    def head(self, x):
        return torch.flatten(nn.functional.avg_pool2d(self.conv2(x), 4), 1)


NETWORKS = {"resnet18": ResNet18, "mobilenet_v2": MobileNetV2, "shufflenet_v2": ShuffleNetV2,
            "squeezenet": SqueezeNet}


def make(name, width, classes=10):
    return NETWORKS[name](width, classes)


def parameters(net):
    """[[name, shape], ...] in order."""
    return [[name, list(parameter.shape)] for name, parameter in net.named_parameters()]


def count(net):
    return sum(math.prod(shape) for _, shape in parameters(net))
