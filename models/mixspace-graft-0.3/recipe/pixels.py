"""Stage 1: decode every picture once; the later stages read the pixels from memory maps.

    python pixels.py --data DATA --art ART --work WORK
"""

import argparse
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from pictures import Reader, groups

PIECE = 512


class Pixels:
    """The pictures of a group, and each one's pixels."""

    def __init__(self, work, group):
        self.pictures, self.sizes, self.starts = pickle.loads(index_path(work, group).read_bytes())
        self.bytes = np.memmap(bytes_path(work, group), np.uint8, "r")

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, row):
        (width, height), start = self.sizes[row], self.starts[row]
        return Image.frombuffer("RGB", (width, height), self.bytes[start : start + width * height * 3], "raw", "RGB", 0, 1)


def index_path(work, group):
    return work / "pixels" / f"{group}.pickle"


def bytes_path(work, group):
    return work / "pixels" / f"{group}.bytes"


def decode(pictures):
    read = Reader()
    images = [read(picture) for picture in pictures]
    return [image.size for image in images], b"".join(image.tobytes() for image in images)


def store(work, group, pictures, pool):
    pieces = [pictures[i : i + PIECE] for i in range(0, len(pictures), PIECE)]
    sizes, began = [], time.time()
    with bytes_path(work, group).open("wb") as file:
        for more, pixels in pool.map(decode, pieces):
            sizes += more
            file.write(pixels)
            rate = len(sizes) / (time.time() - began)
            left = (len(pictures) - len(sizes)) / rate
            print(f"\r{group}: {len(sizes)}/{len(pictures)}, {rate:.0f}/s, {left:.0f} s left ", end="", flush=True)
    print()
    starts = np.cumsum([0] + [width * height * 3 for width, height in sizes])[:-1]
    index_path(work, group).write_bytes(pickle.dumps((pictures, sizes, starts)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="folder of the SQLite files")
    parser.add_argument("--art", type=Path, required=True, help="folder that demo/gallery.ts rendered")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything in between")
    args = parser.parse_args()
    (args.work / "pixels").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2) as pool:
        for group, pictures in groups(args.data, args.art).items():
            if not index_path(args.work, group).exists():
                store(args.work, group, pictures, pool)


if __name__ == "__main__":
    main()
