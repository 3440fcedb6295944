"""Which pictures there are, where they come from, and what they look like to the tower: plain or varied."""

import io
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from image_tower import MEAN, STD

# Side of the square that ships, and of the smaller one on which the tower is trained.
SIZE, TRAINING_SIZE = 224, 192
PHOTO_FILES = ("photos-0.sqlite", "photos-1.sqlite", "photos-2.sqlite", "photos-3.sqlite")
TRAINING_STYLES = ("noto", "twemoji")
HELD_OUT_STYLE = "fluent-emoji-flat"
# One photo of each ImageNet class: kept out of training so that the 1,000 names can be measured on them.
HELD_OUT_SOURCES = ("nips17-dev", "imagenet-sample-1000")


@dataclass(frozen=True)
class Picture:
    """`origin` is a database or a folder of art, `key` the row or the file in it."""

    origin: str
    key: str
    source: str
    name: str
    label: str | None = None
    captions: tuple[str, ...] = ()


def groups(data, art):
    """Name -> pictures."""
    held_out = f"source in {HELD_OUT_SOURCES}"
    train = f"split = 'train' and (label is not null or captions is not null) and not {held_out}"
    photos = [data / name for name in PHOTO_FILES]
    return {
        "captioned-dev": read_database(data / "flickr8k.sqlite", "split = 'dev'"),
        "captioned": read_database(data / "flickr8k.sqlite", "split = 'train'"),
        "named-dev": [p for path in photos for p in read_database(path, f"split = 'dev' or {held_out}")],
        "named": [p for path in photos for p in read_database(path, train)],
        "drawn-dev": read_art(art, HELD_OUT_STYLE),
        "drawn": [picture for style in TRAINING_STYLES for picture in read_art(art, style)],
    }


def read_database(path, where):
    rows = connect(path).execute(f"select id, source, name, label, captions from pictures where {where} order by id")
    return [
        Picture(str(path), str(key), source, name, label, tuple(json.loads(captions or "[]")))
        for key, source, name, label, captions in rows
    ]


def read_art(folder, style):
    return [
        Picture(str(folder / style), path.name, style, path.stem, path.stem.replace("-", " "))
        for path in sorted((folder / style).glob("*.png"))
    ]


def connect(path):
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


class Reader:
    """Opens pictures; keeps its databases open. One a process."""

    def __init__(self):
        self.databases = {}

    def __call__(self, picture):
        if not picture.origin.endswith(".sqlite"):
            return Image.open(Path(picture.origin) / picture.key).convert("RGB")
        if picture.origin not in self.databases:
            self.databases[picture.origin] = connect(picture.origin)
        query = "select webp from pictures where id = ?"
        (webp,) = self.databases[picture.origin].execute(query, (picture.key,)).fetchone()
        return Image.open(io.BytesIO(webp)).convert("RGB")


def network_input(images):
    """Images of one size as the tower takes them: f32 [n, 3, height, width]."""
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    return (pixels.permute(0, 3, 1, 2).float() - MEAN) / STD


def resize_and_crop(image, size=SIZE):
    """Shortest edge to `size`, bicubic, centre crop: what preprocessor_config.json says."""
    width, height = image.size
    short = min(width, height)
    image = image.resize((width * size // short, height * size // short), Image.Resampling.BICUBIC)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))


def vary_photo(image, rng, size, least=0.4, coarse=0.1):
    """A part of it, perhaps mirrored, seldom as coarse as a thumbnail."""
    width, height = image.size
    area = rng.uniform(least, 1) * width * height
    ratio = rng.uniform(0.8, 1.25)
    w, h = min(width, int((area * ratio) ** 0.5)), min(height, int((area / ratio) ** 0.5))
    box = place(width, height, w, h, rng)
    if rng.random() < coarse:
        side = rng.integers(28, 64, endpoint=True)
        image, box = image.resize((side, side), Image.Resampling.BOX, box=box), None
    image = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def place(width, height, w, h, rng):
    left, top = (rng.integers(0, room, endpoint=True) for room in (width - w, height - h))
    return (left, top, left + w, top + h)


def vary_art(image, rng, size):
    """Another scale, place, ground and turn, as if another hand had drawn it. The ground of `image` is white."""
    if rng.random() < 0.3:
        image = on_ground(image, tuple(int(c) for c in rng.integers(120, 255, 3, endpoint=True)))
    ground = image.getpixel((0, 0))
    width, height = (int(size * rng.uniform(0.55, 1.1) * rng.uniform(0.9, 1.1)) for _ in range(2))
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    image = image.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR, fillcolor=ground)
    canvas = Image.new("RGB", (size, size), ground)
    shift = rng.integers(-size // 11, size // 11, 2, endpoint=True)
    canvas.paste(image, ((size - width) // 2 + int(shift[0]), (size - height) // 2 + int(shift[1])))
    return canvas


def on_ground(image, color):
    """White replaced, as multiplying with the colour does; darker things hardly change."""
    pixels = np.asarray(image)
    white = pixels.min(2, keepdims=True) > 252
    return Image.fromarray(np.where(white, np.array(color, np.uint8), pixels))


def vary_color(pixels, generator=None):
    """Brightness, contrast and colour of each picture on its own; one in twenty grey. In and out as the tower takes."""

    def factors(most):
        return 1 + most * (2 * torch.rand(len(pixels), 1, 1, 1, generator=generator) - 1)

    grey = (pixels * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    saturation = factors(0.5) * (torch.rand(len(pixels), 1, 1, 1, generator=generator) > 0.05)
    pixels = grey + saturation * (pixels - grey)
    middle = grey.mean((2, 3), keepdim=True)
    pixels = middle + factors(0.3) * (pixels - middle)
    return ((pixels + 1) * factors(0.25) - 1).clamp(-MEAN / STD, 1)
