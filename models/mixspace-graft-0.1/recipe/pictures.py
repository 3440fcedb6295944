"""Where the pictures come from, and how they become the tower's input."""

import io
import json
import random
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from image_tower import MEAN, SIZE, STD

PHOTO_FILES = ("photos-0.sqlite", "photos-1.sqlite", "photos-2.sqlite", "photos-3.sqlite")
TRAINING_STYLES = ("noto", "twemoji")
HELD_OUT_STYLE = "fluent-emoji-flat"
# One photo of each ImageNet class: kept out of training so that the 1,000 names can be measured on them.
HELD_OUT_SOURCES = ("nips17-dev", "imagenet-sample-1000")


@dataclass(frozen=True)
class Picture:
    """`origin` is a database or a folder of art, `key` the row or the file in it; `view` 0 is the picture as it is."""

    origin: str
    key: str
    source: str
    name: str
    label: str | None = None
    captions: tuple[str, ...] = ()
    view: int = 0


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


def views(pictures, count):
    return [replace(picture, view=view) for view in range(1, count + 1) for picture in pictures]


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


def network_input(image):
    return (np.asarray(image, np.float32).transpose(2, 0, 1) - MEAN) / STD


def resize_and_crop(image):
    """Shortest edge to 224, bicubic, centre crop: what preprocessor_config.json says."""
    width, height = image.size
    short = min(width, height)
    image = image.resize((width * SIZE // short, height * SIZE // short), Image.Resampling.BICUBIC)
    left, top = (image.width - SIZE) // 2, (image.height - SIZE) // 2
    return image.crop((left, top, left + SIZE, top + SIZE))


def view_of(image, picture):
    if picture.view == 0:
        return resize_and_crop(image)
    rng = random.Random(f"{picture.source}/{picture.key}/{picture.view}")
    if picture.source in TRAINING_STYLES:
        return vary_art(image, rng)
    return vary_photo(image, rng)


def vary_photo(image, rng):
    width, height = image.size
    area = rng.uniform(0.45, 1) * width * height
    ratio = rng.uniform(0.8, 1.25)
    w, h = min(width, int((area * ratio) ** 0.5)), min(height, int((area / ratio) ** 0.5))
    left, top = rng.randint(0, width - w), rng.randint(0, height - h)
    image = image.resize((SIZE, SIZE), Image.Resampling.BICUBIC, box=(left, top, left + w, top + h))
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    return vary_color(image, rng)


def vary_art(image, rng):
    """Another scale, place, ground, turn and colour, sometimes blurred: as if another hand had drawn it."""
    ground = (255, 255, 255) if rng.random() < 0.7 else tuple(rng.randint(150, 255) for _ in range(3))
    canvas = Image.new("RGB", (SIZE, SIZE), ground)
    alpha = ImageOps.invert(image.convert("L")).point(lambda value: 255 if value > 2 else 0)
    width, height = (int(SIZE * rng.uniform(0.55, 1.1) * rng.uniform(0.9, 1.1)) for _ in range(2))
    angle = rng.uniform(-12, 12)
    image = image.resize((width, height), Image.Resampling.BICUBIC).rotate(angle, fillcolor=(255, 255, 255))
    alpha = alpha.resize((width, height)).rotate(angle)
    canvas.paste(image, place(width, height, rng), alpha)
    canvas = vary_color(canvas, rng)
    if rng.random() < 0.25:
        canvas = canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2)))
    return canvas


def place(width, height, rng):
    return tuple((SIZE - side) // 2 + rng.randint(-20, 20) for side in (width, height))


def vary_color(image, rng):
    for enhance, most in ((ImageEnhance.Brightness, 0.25), (ImageEnhance.Contrast, 0.3), (ImageEnhance.Color, 0.5)):
        image = enhance(image).enhance(rng.uniform(1 - most, 1 + most))
    return ImageOps.grayscale(image).convert("RGB") if rng.random() < 0.05 else image
