"""Stage 7: the adapters once more, on what the blended tower sees, and at last on what the shipped files give.

    python finish.py --data DATA --work WORK

The classifier's share is larger than before, so that the 1,000 names gain what the captions can spare. One of the first
courses learns no captions, but is held to what the tuned adapters say of captions in English and Chinese; another goes
on from the mean of two that learn them. From the mean of both, the last two learn from the features of the rounded tower
and of the table in 4 bits, and bring Chinese captions where English ones lie. A course that is there is not taken again.
Leaves WORK/final.pt.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch

import adapters as adapters_module
import lesson as lesson_module
import text_tower
from adapters import load_adapters
from features import load_tower
from figures import all_figures
from lesson import Lesson
from text_tower import embed_stored
from train import AVERAGING, CAPTIONED, DECAY, LABELED, FeatureEncoder, Stored, compare, rate_at

RATE = 5e-4
ALIGNED = 768


@dataclass(frozen=True)
class Course:
    name: str
    start: str
    steps: int
    teacher: float = 3.0
    captions: float = 1.0
    pairs: float = 0.3
    noise: float = 0.5
    moved: float = 0.5
    wordings: int = 1
    held: float = 0.0
    # Weight of Chinese captions lying as English ones do.
    aligned: float = 0.0
    as_shipped: bool = False
    seed: int = 20

    @property
    def tower(self):
        return "shipped" if self.as_shipped else "blended"


COURSES = (
    Course("first", "blended", 500),
    Course("second", "blended", 700, captions=0.5, pairs=0.6, noise=0.7),
    Course("held", "blended", 600, captions=0.0, held=10),
    Course("further", "half", 300, teacher=4, pairs=1.0, noise=0.4, moved=0.9, wordings=4),
)
LAST = (
    Course("nearer", "middle", 400, teacher=4, pairs=0.6, moved=0.7, wordings=4, held=5, aligned=20, as_shipped=True),
    Course("last", "nearer", 400, teacher=4.5, pairs=0.6, moved=0.6, wordings=4, held=7, aligned=40, as_shipped=True, seed=22),
)
MEANS = {"half": {"first": 0.5, "second": 0.5}, "middle": {"held": 0.4, "further": 0.6}}


class Hold:
    """Captions without pictures, and photos: the adapters may not move away from what the tuned ones say of them."""

    def __init__(self, work, lesson, coco):
        self.before = load_adapters(work / "blended.pt")
        english, chinese = coco
        self.texts = (
            (lesson.captioned.texts.flatten(0, 1), 256),
            (english, 256),
            (chinese, 160),
            (lesson.parallel.pairs[0].others, 256),
        )

    def loss(self, adapters, features, images):
        texts = torch.cat([draw(some, count) for some, count in self.texts])
        told = (adapters.text(texts) * self.before.text(texts)).sum(1)
        seen = (images * self.before.image(features)).sum(1)
        return (1 - told).mean() + (1 - seen).mean()


def draw(some, count):
    return some[torch.randint(len(some), (count,))]


def coco_captions(data, work):
    """Features of captions without pictures, in English and in Chinese, about photos of one kind."""
    english = (data / "teachers" / "coco_val2017_captions.txt").read_text().splitlines()
    chinese = (data / "teachers" / "coco_cn_captions.txt").read_text().splitlines()
    return (
        embed_stored(work, "coco", [line for line in english if line.strip()]),
        embed_stored(work, "coco-zh", [line.split("\t")[1] for line in chinese if "\t" in line]),
    )


def apart(ours, theirs):
    """Distance of two sets' means and covariances (CORAL, Sun and Saenko 2016)."""
    means = [some.mean(0) for some in (ours, theirs)]
    spreads = [(some - mean).T @ (some - mean) / len(some) for some, mean in zip((ours, theirs), means)]
    return (means[0] - means[1]).square().sum() + (spreads[0] - spreads[1]).square().sum()


def take(course, data, work):
    torch.manual_seed(course.seed)
    adapters_module.NOISE, lesson_module.MOVED, lesson_module.DREAMT = course.noise, course.moved, 0.6
    text_tower.AS_SHIPPED = course.as_shipped
    adapters = load_adapters(work / f"{course.start}.pt").requires_grad_(True)
    lesson = Lesson(data, work, load_tower(work, course.tower).classifier, course.wordings)
    stored = [Stored(work, course.tower, group) for group in ("captioned", "named", "drawn")]
    coco = coco_captions(data, work)
    hold = Hold(work, lesson, coco) if course.held else None
    averaged = torch.optim.swa_utils.AveragedModel(
        adapters, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING)
    )
    optimizer = torch.optim.AdamW(adapters.parameters(), RATE, weight_decay=DECAY)
    adapters.train()
    for step in range(course.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, course.steps, RATE)
        loss = step_loss(course, adapters, lesson, stored, hold)
        if course.aligned:
            loss = loss + course.aligned * apart(*(adapters.text(draw(some, ALIGNED)) for some in coco))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        averaged.update_parameters(adapters)
        if step % 50 == 49:
            print(f"{course.name}: step {step + 1} of {course.steps}, loss {loss:.3f}", flush=True)
    torch.save({"adapters": averaged.module.state_dict()}, work / f"{course.name}.pt")


def step_loss(course, adapters, lesson, stored, hold):
    features, images, told, shown = compare(adapters, lesson, stored)
    taught = lesson.dream(adapters, features[: CAPTIONED + LABELED])
    loss = course.captions * told + shown + course.teacher * taught + course.pairs * lesson.translate(adapters)
    if hold:
        loss = loss + course.held * hold.loss(adapters, features[:CAPTIONED], images[:CAPTIONED])
    return loss


def mean(work, shares):
    parts = {name: torch.load(work / f"{name}.pt", weights_only=True)["adapters"] for name in shares}
    return {key: sum(share * parts[name][key] for name, share in shares.items()) for key in next(iter(parts.values()))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()

    for course in COURSES + LAST:
        if (args.work / f"{course.name}.pt").exists():
            continue
        if course.start in MEANS:
            torch.save({"adapters": mean(args.work, MEANS[course.start])}, args.work / f"{course.start}.pt")
        take(course, args.data, args.work)
    text_tower.AS_SHIPPED = True
    adapters = load_adapters(args.work / f"{LAST[-1].name}.pt")
    figures = all_figures(FeatureEncoder(args.work, adapters, "shipped"), args.data)
    torch.save({"adapters": adapters.state_dict(), "figures": figures}, args.work / "final.pt")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
