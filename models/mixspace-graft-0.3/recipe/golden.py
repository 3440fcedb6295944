"""Stage 9: the golden vectors: drawn pictures and a few texts through the package's files, with Pillow and Python.

    python golden.py --package models/mixspace-graft-0.3
"""

import argparse
import math
from pathlib import Path

from PIL import Image, ImageDraw

from evaluate import PackageEncoder
from pictures import resize_and_crop
from tokenizer import write_json

DIGITS = 6
TEXTS = (
    "a dog runs through the snow",
    "Two men in ice hockey uniforms are trying to catch the puck.",
    "red apple",
    "一条狗在雪地里奔跑",
    "一隻狗在雪地裡奔跑",
    "Ein Hund rennt durch den Schnee.",
    "Un chien court dans la neige.",
    "Un perro corre por la nieve.",
    "Un cane corre nella neve.",
    "Um cachorro corre na neve.",
    "Een hond rent door de sneeuw.",
    "Pies biegnie po śniegu.",
    "Собака бежит по снегу.",
    "Köpek karda koşuyor.",
    "犬が雪の中を走る",
    "눈 속을 달리는 개",
    "สุนัขวิ่งบนหิมะ",
    "كلب يجري في الثلج",
    "  spaces   and\ttabs \n folded  ",
    "ＦＵＬＬ ｗｉｄｔｈ ①",
    "",
    "long " * 200,
)


def sunset():
    image = Image.new("RGB", (320, 200))
    draw = ImageDraw.Draw(image)
    for y in range(200):
        draw.line((0, y, 320, y), (255 - y // 3, 120 + y // 4, 60 + y // 2))
    draw.ellipse((120, 70, 200, 150), (255, 230, 120))
    draw.rectangle((0, 130, 320, 200), (20, 60, 90))
    return image


def face():
    image = Image.new("RGB", (160, 160), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 150, 150), (255, 205, 60))
    for x in (50, 98):
        draw.ellipse((x, 50, x + 14, 72), (70, 45, 20))
    draw.arc((45, 60, 115, 120), 20, 160, (70, 45, 20), 6)
    return image


def house():
    image = Image.new("RGB", (240, 360), (160, 205, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 290, 240, 360), (90, 160, 70))
    draw.rectangle((50, 170, 190, 310), (210, 180, 140))
    draw.polygon(((35, 170), (120, 80), (205, 170)), (150, 50, 40))
    draw.rectangle((105, 240, 140, 310), (90, 60, 40))
    return image


def stripes():
    image = Image.new("RGB", (500, 60))
    draw = ImageDraw.Draw(image)
    for x in range(0, 500, 10):
        draw.rectangle((x, 0, x + 4, 60), (x // 2, 255 - x // 2, 128))
    return image


def small():
    image = Image.new("RGB", (13, 9))
    image.putdata([(x * 19, y * 28, (x * y * 5) % 256) for y in range(9) for x in range(13)])
    return image


def rings():
    image = Image.new("RGB", (224, 224))
    image.putdata(
        [
            tuple(int(127.5 + 127.5 * math.sin(math.hypot(x - 112, y - 112) / step)) for step in (4, 6, 9))
            for y in range(224)
            for x in range(224)
        ]
    )
    return image


def flower():
    image = Image.new("RGB", (301, 277), (60, 130, 60))
    draw = ImageDraw.Draw(image)
    for petal in range(8):
        x, y = (math.cos(petal * math.pi / 4), math.sin(petal * math.pi / 4))
        draw.ellipse((150 + 60 * x - 38, 138 + 60 * y - 38, 150 + 60 * x + 38, 138 + 60 * y + 38), (235, 120, 180))
    draw.ellipse((115, 103, 185, 173), (250, 210, 60))
    return image


PICTURES = (sunset, face, house, stripes, small, rings, flower)


def rounded(embedding):
    return [round(float(value), DIGITS) for value in embedding]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", type=Path, required=True)
    args = parser.parse_args()

    encoder, golden = PackageEncoder(args.package), args.package / "golden"
    (golden / "images").mkdir(parents=True, exist_ok=True)
    images = {}
    for draw in PICTURES:
        name, image = f"{draw.__name__}.png", draw()
        image.save(golden / "images" / name)
        (embedding,) = encoder.embed_images([resize_and_crop(image)])
        images[name] = {"embedding": rounded(embedding)}
    write_json(golden / "images.json", images, indent=None)

    texts = []
    for text in TEXTS:
        ids = encoder.token_ids(text)
        (embedding,) = encoder.embed_ids([ids])
        texts.append({"text": text, "input_ids": ids, "embedding": rounded(embedding)})
    write_json(golden / "texts.json", texts, indent=None)


if __name__ == "__main__":
    main()
