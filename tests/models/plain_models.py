"""Small models in plain PyTorch, as their users write them."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class GptBlock(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(),
                                 nn.Linear(4 * width, width), nn.Dropout(dropout))

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = (part.view(n, t, self.heads, c // self.heads).transpose(1, 2)
                   for part in self.qkv(self.ln_1(x)).split(c, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).contiguous().view(n, t, c))
        return x + self.mlp(self.ln_2(x))


class Gpt(nn.Module):
    """A decoder whose head is its embedding, as in nanoGPT."""

    def __init__(self, vocabulary=16, context=64, width=32, heads=4, depth=2, dropout=0.0):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout)
        self.h = nn.ModuleList(GptBlock(width, heads, dropout) for _ in range(depth))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, idx):
        positions = torch.arange(idx.shape[1], device=idx.device)
        x = self.drop(self.wte(idx) + self.wpe(positions))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class MaskedAttention(nn.Module):
    """Attention by hand: matmul, a mask that is a buffer, softmax."""

    def __init__(self, width, heads, context):
        super().__init__()
        self.heads = heads
        self.key, self.query, self.value = (nn.Linear(width, width) for _ in range(3))
        self.register_buffer("mask", torch.tril(torch.ones(context, context)), persistent=False)

    def forward(self, x):
        n, t, c = x.shape
        k, q, v = (f(x).view(n, t, self.heads, -1).transpose(1, 2)
                   for f in (self.key, self.query, self.value))
        weights = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        weights = weights.masked_fill(self.mask[:t, :t] == 0, float("-inf"))
        return (F.softmax(weights, dim=-1) @ v).transpose(1, 2).reshape(n, t, c)


class MinGpt(nn.Module):
    def __init__(self, vocabulary=16, context=64, width=24, heads=2):
        super().__init__()
        self.tok = nn.Embedding(vocabulary, width)
        self.pos = nn.Parameter(torch.zeros(1, context, width))
        self.norm = nn.LayerNorm(width)
        self.attention = MaskedAttention(width, heads, context)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, idx):
        x = self.tok(idx) + self.pos[:, :idx.size(1)]
        return self.head(x + self.attention(self.norm(x)))


class Vit(nn.Module):
    def __init__(self, size=32, patch=8, width=32, heads=4, depth=2, classes=10, dropout=0.0):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, stride=patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=dropout,
                                           activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        return self.head(self.encoder(x)[:, 0])


def double_conv(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True))


class UNet(nn.Module):
    """Segmentation with skips: transposed convolutions where `bilinear` is false."""

    def __init__(self, classes=2, width=8, bilinear=False, inputs=1):
        super().__init__()
        self.down1, self.down2 = double_conv(inputs, width), double_conv(width, 2 * width)
        self.middle = double_conv(2 * width, 4 * width)

        def up(channels):
            if bilinear:
                return nn.Sequential(
                    nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
                    nn.Conv2d(channels, channels // 2, 1))
            return nn.ConvTranspose2d(channels, channels // 2, 2, stride=2)

        self.up2, self.merge2 = up(4 * width), double_conv(4 * width, 2 * width)
        self.up1, self.merge1 = up(2 * width), double_conv(2 * width, width)
        self.out = nn.Conv2d(width, classes, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(self.pool(a))
        c = self.middle(self.pool(b))
        b = self.merge2(torch.cat([b, self.up2(c)], dim=1))
        return self.out(self.merge1(torch.cat([a, self.up1(b)], dim=1)))


class WordLanguageModel(nn.Module):
    """PyTorch's own example in spirit: states come in and go out, decoder tied to encoder."""

    def __init__(self, kind="LSTM", vocabulary=16, width=24, layers=2, dropout=0.0):
        super().__init__()
        self.encoder = nn.Embedding(vocabulary, width)
        self.rnn = getattr(nn, kind)(width, width, layers, dropout=dropout, batch_first=True)
        self.decoder = nn.Linear(width, vocabulary)
        self.decoder.weight = self.encoder.weight

    def forward(self, input, *hidden):  # pylint: disable=redefined-builtin
        out, hidden = self.rnn(self.encoder(input), hidden if len(hidden) > 1 else hidden[0])
        return self.decoder(out), hidden


class RowLstm(nn.Module):
    """A picture read row by row."""

    def __init__(self, hidden=32, bidirectional=True, dropout=0.0):
        super().__init__()
        self.rnn = nn.LSTM(16, hidden, batch_first=True, bidirectional=bidirectional)
        self.drop = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden * (2 if bidirectional else 1), 10)

    def forward(self, x):
        out, _ = self.rnn(x.squeeze(1))
        return self.fc(self.drop(out[:, -1]))


class Edsr(nn.Module):
    """Super-resolution with residual blocks without normalisation."""

    def __init__(self, width=16, depth=2, residual_scale=0.1):
        super().__init__()
        self.residual_scale = residual_scale
        self.head = nn.Conv2d(1, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(inplace=True),
                          nn.Conv2d(width, width, 3, padding=1)) for _ in range(depth))
        self.tail = nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2),
                                  nn.PReLU(width), nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, x):
        first = x = self.head(x)
        for block in self.blocks:
            x = x + block(x) * self.residual_scale
        return self.tail(x + first) + F.interpolate(first.mean(1, keepdim=True), scale_factor=2,
                                                    mode="bicubic", align_corners=False)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.LeakyReLU(0.2, inplace=True),
                                     nn.Conv2d(8, 16, 3, 2, 1), nn.InstanceNorm2d(16, affine=True),
                                     nn.ELU(), nn.Flatten(), nn.Linear(256, 12))
        self.decoder = nn.Sequential(nn.Linear(12, 256), nn.Unflatten(1, (16, 4, 4)),
                                     nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.SiLU(inplace=True),
                                     nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


class TwoInputs(nn.Module):
    """Two pictures of one digit, and the parameters that most models have not: einsum, bilinear,
    weight norm by hand, a parameter that the output does not depend on."""

    def __init__(self):
        super().__init__()
        self.small, self.large = nn.Linear(64, 24), nn.Linear(256, 24)
        self.mix = nn.Bilinear(24, 24, 16)
        self.direction = nn.Parameter(torch.randn(10, 16) * 0.2)
        self.length = nn.Parameter(torch.ones(10, 1))
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, large, small):
        a = torch.tanh(self.small(small.flatten(1)))
        b = F.softplus(self.large(large.flatten(1)))
        mixed = F.normalize(self.mix(a, b), dim=1)
        weight = self.direction / self.direction.norm(dim=1, keepdim=True) * self.length
        return torch.einsum("nk,ck->nc", mixed, weight)


class MnistNet(nn.Module):
    """PyTorch's MNIST example."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, 1), nn.Conv2d(8, 16, 3, 1)
        self.dropout1, self.dropout2 = nn.Dropout2d(0.25), nn.Dropout(0.5)
        self.fc1, self.fc2 = nn.Linear(576, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = torch.flatten(self.dropout1(F.max_pool2d(x, 2)), 1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)
