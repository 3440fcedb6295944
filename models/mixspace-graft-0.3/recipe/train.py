"""Stage 3: train the adapters on stored features.

    python train.py --data DATA --work WORK [--tower original] [--start NAME] [--steps N] [--out adapters]

Goes on from WORK/OUT.checkpoint where there is one. What it leaves is WORK/OUT.pt: the weights' running average at the end.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

from adapters import Adapters, load_adapters
from features import VIEWS, load_features, load_tower
from figures import all_figures
from lesson import PARALLEL_WEIGHT, TEACHER_WEIGHT, Lesson
from pixels import Pixels
from text_tower import embed

SEED = 20
REPORT_EVERY, MEASURE_EVERY = 50, 300
CAPTIONED, LABELED, DRAWN, TAUGHT = 512, 448, 160, 512
RATE, WARM_UP, DECAY, AVERAGING = 1e-3, 50, 0.05, 0.995


class FeatureEncoder:
    """Stored features through the adapters: what `figures` measures in training, in float32."""

    def __init__(self, work, adapters, tower):
        self.work, self.adapters, self.tower, self.known = work, adapters, tower, {}

    def texts(self, texts):
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known.update(zip(new, embed(new)))
        with torch.inference_mode():
            return self.adapters.text(torch.stack([self.known[text] for text in texts])).numpy()

    def pictures(self, group):
        features = torch.from_numpy(load_features(self.work, self.tower, group, 0)).float()
        with torch.inference_mode():
            return Pixels(self.work, group).pictures, self.adapters.image(features).numpy()


class Stored:
    """The features of a group in all its views."""

    def __init__(self, work, tower, group):
        views = [load_features(work, tower, group, number) for number in range(VIEWS[group] + 1)]
        self.views = torch.from_numpy(np.stack(views))

    def __call__(self, rows):
        return self.views[torch.randint(len(self.views), (len(rows),)), rows].float()


def train(args):
    torch.manual_seed(SEED)
    adapters = load_adapters(args.work / f"{args.start}.pt").requires_grad_(True) if args.start else Adapters()
    lesson = Lesson(args.data, args.work, load_tower(args.work, "original").classifier)
    stored = [Stored(args.work, args.tower, group) for group in ("captioned", "named", "drawn")]
    if not args.start:
        lesson.standardize(adapters, torch.cat([stored[0].views.flatten(0, 1), stored[1].views[0]]))
    averaged = torch.optim.swa_utils.AveragedModel(
        adapters, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING)
    )
    optimizer = torch.optim.AdamW(adapters.parameters(), args.rate, weight_decay=DECAY)
    encoder = FeatureEncoder(args.work, averaged.module, args.tower)
    step, checkpoint = 0, args.work / f"{args.out}.checkpoint"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        adapters.load_state_dict(saved["adapters"])
        averaged.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["random"])
        step = saved["step"]

    began, first = time.time(), step
    adapters.train()
    while step < args.steps:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, args.steps, args.rate)
        loss = step_loss(adapters, lesson, stored)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        averaged.update_parameters(adapters)
        step += 1

        if step % REPORT_EVERY == 0:
            pace = (step - first) / (time.time() - began)
            left = (args.steps - step) / pace / 60
            print(f"step {step} loss {loss:.3f} {pace:.1f} steps/s {left:.1f} min left", flush=True)
        if step % MEASURE_EVERY == 0 or step == args.steps:
            averaged.module.eval()
            figures = all_figures(encoder, args.data)
            print(f"step {step} " + json.dumps({name: round(value, 4) for name, value in figures.items()}), flush=True)
            torch.save({"adapters": averaged.module.state_dict(), "step": step, "figures": figures}, args.work / f"{args.out}.pt")
            state = {
                "adapters": adapters.state_dict(),
                "average": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "step": step,
            }
            torch.save(state, checkpoint)


def rate_at(step, steps, rate):
    """A short warm-up, then half a cosine."""
    return rate * min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2


def step_loss(adapters, lesson, stored):
    features, _, told, shown = compare(adapters, lesson, stored)
    taught = lesson.dream(adapters, features[torch.randperm(CAPTIONED + LABELED)[:TAUGHT]])
    return told + shown + TEACHER_WEIGHT * taught + PARALLEL_WEIGHT * lesson.translate(adapters)


def compare(adapters, lesson, stored):
    """A batch's features and embeddings, captioned pictures first, and the losses of captions and of names."""
    batches = [lesson.captioned.sample(CAPTIONED), lesson.named.sample(LABELED), lesson.drawn.sample(DRAWN)]
    features = torch.cat([of_group(rows) for of_group, (rows, _, _) in zip(stored, batches)])
    images = adapters.image(features)
    _, texts, classes = (torch.cat(parts) for parts in zip(*batches))
    told, shown = (
        lesson.match(adapters, images[part], classes[part], texts[part], classes[part])
        for part in (slice(0, CAPTIONED), slice(CAPTIONED, None))
    )
    return features, images, told, shown


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--tower", default="original", help="whose stored features")
    parser.add_argument("--start", help="adapters to go on from, a name in WORK")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--out", default="adapters")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
