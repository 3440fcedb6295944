"""What is trained from nothing: one adapter a tower, into the common space."""

import math

import torch
from torch import nn
from torch.nn import functional as F

import image_tower
import text_tower

DIMENSION, HIDDEN, DROPOUT = 256, 1024, 0.3
# Of a feature's standard deviation, added in training: what keeps 6,007 photos from being learnt by heart.
NOISE = 0.5


class Adapter(nn.Module):
    """A linear way and one with a hidden layer, over standardised features."""

    def __init__(self, features):
        super().__init__()
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
        if self.training:
            x = x + NOISE * torch.randn_like(x)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            x = self.linear(x) + self.deep(x)
        return F.normalize(x.float(), dim=-1)


class Adapters(nn.Module):
    def __init__(self):
        super().__init__()
        self.image = Adapter(image_tower.FEATURES)
        self.text = Adapter(text_tower.FEATURES)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def scale(self):
        """Multiplies cosines before softmax."""
        return self.logit_scale.clamp(max=math.log(100)).exp()


def load_adapters(path):
    adapters = Adapters()
    adapters.load_state_dict(torch.load(path, weights_only=True)["adapters"])
    return adapters.eval().requires_grad_(False)
