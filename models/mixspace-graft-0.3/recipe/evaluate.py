"""Stage 10: measure the package's own files on `dev`, from picture and text to figure, beside the same in float32.

    python evaluate.py --data DATA --art ART --work WORK --package models/mixspace-graft-0.3

Prints and stores WORK/figures.json: {"shipped": ..., "float32": ..., "agreement": ...}.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from figures import all_figures
from pictures import Reader, groups, network_input, resize_and_crop

BATCH = 32


class PackageEncoder:
    """The package in ONNX Runtime, tokenizer.json included."""

    def __init__(self, package, groups=None, weights=None):
        """`weights`: the folder of the ONNX files, the package's own unless given."""
        config = json.loads((package / "config.json").read_text())["text_config"]
        self.padding, self.length = config["pad_token_id"], config["max_position_embeddings"]
        self.tokenizer = Tokenizer.from_file(str(package / "tokenizer.json"))
        self.tokenizer.enable_truncation(self.length)
        weights = weights or package / "onnx"
        self.text, self.vision = (
            onnxruntime.InferenceSession(str(weights / f"{name}_model.onnx"), providers=["CPUExecutionProvider"])
            for name in ("text", "vision")
        )
        self.groups, self.embedded = groups, {}

    def token_ids(self, text):
        return self.tokenizer.encode(text).ids

    def embed_ids(self, ids, length=None):
        length = length or max(map(len, ids))
        input_ids = np.full((len(ids), length), self.padding, np.int64)
        attention_mask = np.zeros_like(input_ids)
        for row, tokens in enumerate(ids):
            input_ids[row, : len(tokens)] = tokens
            attention_mask[row, : len(tokens)] = 1
        return self.text.run(None, {"input_ids": input_ids, "attention_mask": attention_mask})[0]

    def texts(self, texts):
        ids = [self.token_ids(text) for text in texts]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        embeddings = np.empty((len(ids), 256), np.float32)
        for start in range(0, len(ids), BATCH):
            rows = order[start : start + BATCH]
            embeddings[rows] = self.embed_ids([ids[i] for i in rows])
        return embeddings

    def embed_images(self, images):
        return self.vision.run(None, {"pixel_values": network_input(images).numpy()})[0]

    def pictures(self, group):
        if group not in self.embedded:
            pictures, read = self.groups[group], Reader()
            batches = (pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH))
            embeddings = [self.embed_images([resize_and_crop(read(p)) for p in batch]) for batch in batches]
            self.embedded[group] = pictures, np.concatenate(embeddings)
        return self.embedded[group]


def agreement(shipped, float32):
    """How near the shipped files come to float32, and how little a batch changes in them."""
    pictures, theirs = shipped.pictures("captioned-dev")
    texts = [caption for p in pictures[:400] for caption in p.captions[:1]]
    ids = [shipped.token_ids(text) for text in texts]
    alone = np.concatenate([shipped.embed_ids([tokens]) for tokens in ids])
    together = shipped.embed_ids(ids, shipped.length)
    read = Reader()
    images = [resize_and_crop(read(p)) for p in pictures[:BATCH]]
    images_alone = np.concatenate([shipped.embed_images([image]) for image in images])
    return {
        "image_cosine": cosines(theirs, float32.pictures("captioned-dev")[1]),
        "art_cosine": cosines(shipped.pictures("drawn-dev")[1], float32.pictures("drawn-dev")[1]),
        "text_cosine": cosines(alone, float32.texts(texts)),
        "text_alone_or_in_batch": float(np.abs(alone - together).max()),
        "image_alone_or_in_batch": float(np.abs(images_alone - shipped.embed_images(images)).max()),
    }


def cosines(ours, theirs):
    cosine = (ours * theirs).sum(1)
    return {"mean": float(cosine.mean()), "lowest": float(cosine.min())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--art", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--package", type=Path, required=True)
    args = parser.parse_args()

    pictures = groups(args.data, args.art)
    shipped = PackageEncoder(args.package, pictures)
    float32 = PackageEncoder(args.package, pictures, args.work / "float32")
    result = {
        "shipped": all_figures(shipped, args.data),
        "float32": all_figures(float32, args.data),
        "agreement": agreement(shipped, float32),
    }
    (args.work / "figures.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
