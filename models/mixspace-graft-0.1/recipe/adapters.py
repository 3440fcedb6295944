"""What is trained: one adapter a tower, into the common space."""

import math

import torch
from torch import nn
from torch.nn import functional as F

import image_tower
import text_tower

DIMENSION, HIDDEN, DROPOUT = 256, 1024, 0.3
# About as far as one sentence's features lie apart in two languages; training sees English alone.
TEXT_NOISE = 0.4


class Adapter(nn.Module):
    """A linear way and one with a hidden layer, over standardised features."""

    def __init__(self, features, noise=0.0):
        super().__init__()
        self.noise = noise
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.linear = nn.Linear(features, DIMENSION)
        self.deep = nn.Sequential(
            nn.Linear(features, HIDDEN), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, DIMENSION)
        )

    def standardize_like(self, features):
        self.mean.copy_(features.mean(0))
        self.std.copy_(features.std(0).clamp(min=1e-4))

    def forward(self, features):
        x = (features - self.mean) / self.std
        if self.training and self.noise:
            x = x + self.noise * torch.randn_like(x)
        return F.normalize(self.linear(x) + self.deep(x), dim=-1)


class Adapters(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = Adapter(image_tower.FEATURES)
        self.text = Adapter(text_tower.FEATURES, TEXT_NOISE)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))


def load_adapters(checkpoint):
    adapters = Adapters()
    adapters.load_state_dict(torch.load(checkpoint, weights_only=True)["averaged"])
    return adapters.eval().requires_grad_(False)
