"""Stage 7: the adapters once more, on what the blended tower sees; the mean of two short trainings.

    python finish.py --data DATA --work WORK

The classifier's share is larger than before, so that the 1,000 names gain what the captions can spare. One learns no
captions, but is held to what the tuned adapters say of captions in English and Chinese; the other goes on from the mean
of two that learn them. A training that is there is not made again. Leaves WORK/final.pt.
"""

import argparse
import copy
import json
from dataclasses import dataclass
from pathlib import Path

import torch

import adapters as adapters_module
import lesson as lesson_module
from adapters import load_adapters
from features import load_tower
from figures import all_figures
from lesson import Lesson
from text_tower import embed_stored
from train import AVERAGING, CAPTIONED, DECAY, LABELED, FeatureEncoder, Stored, compare, rate_at

SEED, RATE = 20, 5e-4
TOWER = "blended"


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


COURSES = (
    Course("first", "blended", 500),
    Course("second", "blended", 700, captions=0.5, pairs=0.6, noise=0.7),
    Course("held", "blended", 600, captions=0.0, held=10),
    Course("further", "half", 300, teacher=4, pairs=1.0, noise=0.4, moved=0.9, wordings=4),
)
HALF = {"first": 0.5, "second": 0.5}
FINAL = {"held": 0.4, "further": 0.6}


class Hold:
    """Captions without pictures, and photos: the adapters may not move away from what they said of them."""

    def __init__(self, data, work, lesson, adapters):
        self.before = copy.deepcopy(adapters).eval().requires_grad_(False)
        english = (data / "teachers" / "coco_val2017_captions.txt").read_text().splitlines()
        chinese = (data / "teachers" / "coco_cn_captions.txt").read_text().splitlines()
        self.texts = (
            (lesson.captioned.texts.flatten(0, 1), 256),
            (embed_stored(work, "coco", [line for line in english if line.strip()]), 256),
            (embed_stored(work, "coco-zh", [line.split("\t")[1] for line in chinese if "\t" in line]), 160),
            (lesson.parallel.pairs[0].others, 256),
        )

    def loss(self, adapters, features, images):
        texts = torch.cat([some[torch.randint(len(some), (count,))] for some, count in self.texts])
        told = (adapters.text(texts) * self.before.text(texts)).sum(1)
        seen = (images * self.before.image(features)).sum(1)
        return (1 - told).mean() + (1 - seen).mean()


def take(course, data, work):
    torch.manual_seed(SEED)
    adapters_module.NOISE, lesson_module.MOVED, lesson_module.DREAMT = course.noise, course.moved, 0.6
    adapters = load_adapters(work / f"{course.start}.pt").requires_grad_(True)
    lesson = Lesson(data, work, load_tower(work, TOWER).classifier, course.wordings)
    stored = [Stored(work, TOWER, group) for group in ("captioned", "named", "drawn")]
    hold = Hold(data, work, lesson, adapters) if course.held else None
    averaged = torch.optim.swa_utils.AveragedModel(
        adapters, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING)
    )
    optimizer = torch.optim.AdamW(adapters.parameters(), RATE, weight_decay=DECAY)
    adapters.train()
    for step in range(course.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, course.steps, RATE)
        loss = step_loss(course, adapters, lesson, stored, hold)
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

    for course in COURSES:
        if course.start == "half":
            torch.save({"adapters": mean(args.work, HALF)}, args.work / "half.pt")
        if not (args.work / f"{course.name}.pt").exists():
            take(course, args.data, args.work)
    final = args.work / "final.pt"
    weights = mean(args.work, FINAL)
    torch.save({"adapters": weights}, final)
    figures = all_figures(FeatureEncoder(args.work, load_adapters(final), TOWER), args.data)
    torch.save({"adapters": weights, "figures": figures}, final)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
