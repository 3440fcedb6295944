"""Stage 8: export the grafted encoders, quantise them and write the package.

    python package.py --work WORK --out models/mixspace-graft-0.3

The float32 originals stay in WORK/float32; the card (README.md) is written by hand.
"""

import argparse
import math
from pathlib import Path

import onnx
import torch
from torch import nn

import text_tower
from adapters import DIMENSION, load_adapters
from features import load_tower
from image_tower import MEAN, STD
from languages import LANGUAGES
from pictures import SIZE
from prompts import ENSEMBLE
from quantize import table_in_4_bits, weights_in_8_bits
from text_tower import CONTEXT_LENGTH
from tokenizer import BEGIN, END, PADDING, write_json, write_tokenizer

NAME, VERSION = "mixspace-graft", "0.3"
BICUBIC = 3
# What `npm run eval` measures on ImageNet photos of unseen sources, written here by hand.
NO_MATCH = {"min_score": 0.324, "kept": 0.95, "rejected": 0.135}
ATTRIBUTION = [
    "Picture tower grown from EfficientNet-Lite2 (Google; PyTorch port efficientnet-lite-pytorch), Apache-2.0",
    "Text tower and tokenizer grown from Universal Sentence Encoder Multilingual 3 (Google), Apache-2.0",
    "Trained in part on Noto Emoji (Google, Apache-2.0) and Twemoji (Twitter, Inc and other contributors, CC-BY-4.0)",
]


class ImageEncoder(nn.Module):
    def __init__(self, tower, adapters):
        super().__init__()
        self.tower, self.adapter = tower, adapters.image

    def forward(self, pixel_values):
        return self.adapter(self.tower(pixel_values))


class TextEncoder(nn.Module):
    def __init__(self, adapters):
        super().__init__()
        self.tower, self.adapter = text_tower.text_tower(), adapters.text

    def forward(self, input_ids, attention_mask):
        return self.adapter(self.tower(input_ids, attention_mask))


def export(encoder, inputs, output, path, dynamic):
    torch.onnx.export(
        encoder,
        tuple(inputs.values()),
        str(path),
        input_names=list(inputs),
        output_names=[output],
        dynamic_axes=dynamic | {output: {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def export_float32(tower, adapters, folder):
    folder.mkdir(parents=True, exist_ok=True)
    pixels = {"pixel_values": torch.zeros(2, 3, SIZE, SIZE)}
    export(ImageEncoder(tower, adapters), pixels, "image_embeds", folder / "vision_model.onnx", {"pixel_values": {0: "batch"}})
    tokens = {name: torch.ones(2, 9, dtype=torch.long) for name in ("input_ids", "attention_mask")}
    ragged = {name: {0: "batch", 1: "length"} for name in tokens}
    export(TextEncoder(adapters), tokens, "text_embeds", folder / "text_model.onnx", ragged)


def quantize(source, target, table=None):
    model = onnx.load(str(source))
    if table:
        table_in_4_bits(model, table)
    weights_in_8_bits(model)
    onnx.save(model, str(target))


def write_configs(folder, tokenizer, logit_scale):
    ids = {token: tokenizer.token_to_id(token) for token in (PADDING, BEGIN, END)}
    write_json(
        folder / "config.json",
        {
            "model_type": "clip",
            "projection_dim": DIMENSION,
            "logit_scale_init_value": round(math.log(logit_scale), 4),
            "text_config": {
                "max_position_embeddings": CONTEXT_LENGTH,
                "vocab_size": tokenizer.get_vocab_size(),
                "projection_dim": DIMENSION,
                "pad_token_id": ids[PADDING],
                "bos_token_id": ids[BEGIN],
                "eos_token_id": ids[END],
            },
            "vision_config": {"image_size": SIZE, "projection_dim": DIMENSION},
        },
    )
    write_json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "CLIPImageProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "size": {"shortest_edge": SIZE},
            "resample": BICUBIC,
            "do_center_crop": True,
            "crop_size": {"height": SIZE, "width": SIZE},
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [MEAN / 255] * 3,
            "image_std": [STD / 255] * 3,
        },
    )
    write_json(
        folder / "model.json",
        {
            "name": NAME,
            "version": VERSION,
            "license": "Apache-2.0",
            "languages": LANGUAGES,
            "logit_scale": logit_scale,
            "templates": list(ENSEMBLE),
            "no_match": NO_MATCH,
            "padding": "longest",
            "pad_token_id": ids[PADDING],
            "attribution": ATTRIBUTION,
        },
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    adapters = load_adapters(args.work / "final.pt")
    float32, onnx_folder = args.work / "float32", args.out / "onnx"
    onnx_folder.mkdir(parents=True, exist_ok=True)
    export_float32(load_tower(args.work, "blended"), adapters, float32)
    quantize(float32 / "text_model.onnx", onnx_folder / "text_model.onnx", table="tower.table.weight")
    quantize(float32 / "vision_model.onnx", onnx_folder / "vision_model.onnx")
    write_configs(args.out, write_tokenizer(args.out), round(float(adapters.scale()), 3))


if __name__ == "__main__":
    main()
