"""Stages 2 and 6: run the picture tower over every picture once and store what it sees.

    python features.py --work WORK                       # the tower as it came, and its classifier's logits: the teacher's
    python features.py --work WORK --tower shipped       # the tower that blend.py left in WORK/shipped.pt

Groups are stored in chunks; a chunk that is there is not made again, so a stopped run goes on where it was.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from image_tower import ImageTower
from pictures import SIZE, TRAINING_SIZE, network_input, resize_and_crop, vary_art, vary_color, vary_photo
from pixels import Pixels

CHUNK, BATCH = 2048, 64
POOL = ThreadPoolExecutor()
# Group -> how many varied views beside the plain one.
VIEWS = {"captioned-dev": 0, "named-dev": 0, "drawn-dev": 0, "captioned": 3, "drawn": 2, "named": 0}


def load_tower(work, name):
    tower = ImageTower()
    if name != "original":
        tower.load_state_dict(torch.load(work / f"{name}.pt", weights_only=True)["tower"])
    return tower.eval()


def side_of(group):
    return SIZE if group.endswith("-dev") else TRAINING_SIZE


def view(image, group, view, row):
    if view == 0:
        return resize_and_crop(image, side_of(group))
    vary = vary_art if group == "drawn" else vary_photo
    return vary(image, np.random.default_rng([view, row]), side_of(group))


def run_chunk(tower, pixels, group, number, rows):
    generator = torch.Generator().manual_seed(rows[0] * 10 + number)
    features, logits = [], []
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        batch = network_input(list(POOL.map(lambda row: view(pixels[row], group, number, row), some)))
        with torch.inference_mode():
            inside = torch.float32 if group.endswith("-dev") else torch.bfloat16
            seen = tower.features(vary_color(batch, generator) if number else batch, inside)
            features.append(seen.half().numpy())
            logits.append(tower.logits(seen).half().numpy())
    return {"features": np.concatenate(features), "logits": np.concatenate(logits)}


def chunk_path(work, name, group, number, start):
    return work / "features" / name / f"{group}-{number}-{start // CHUNK:03d}.npz"


def load_features(work, name, group, number, kind="features"):
    """f16 array of all pictures of a group in one view; `kind` is "features" or "logits"."""
    starts = range(0, len(Pixels(work, group)), CHUNK)
    return np.concatenate([np.load(chunk_path(work, name, group, number, start))[kind] for start in starts])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tower", default="original")
    args = parser.parse_args()

    (args.work / "features" / args.tower).mkdir(parents=True, exist_ok=True)
    tower = load_tower(args.work, args.tower)
    jobs = []
    for group, views in VIEWS.items():
        pixels = Pixels(args.work, group)
        for number in range(views + 1):
            for start in range(0, len(pixels), CHUNK):
                path = chunk_path(args.work, args.tower, group, number, start)
                if not path.exists():
                    jobs.append((path, pixels, group, number, range(start, min(start + CHUNK, len(pixels)))))

    total, done, began = sum(len(job[-1]) for job in jobs), 0, time.time()
    for path, *job in jobs:
        part = path.with_suffix(".part.npz")
        np.savez(part, **run_chunk(tower, *job))
        part.rename(path)
        done += len(job[-1])
        rate = done / (time.time() - began)
        print(f"{done}/{total} pictures, {rate:.0f}/s, {(total - done) / rate / 60:.1f} min left", flush=True)


if __name__ == "__main__":
    main()
