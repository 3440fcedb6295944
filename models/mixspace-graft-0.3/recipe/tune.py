"""Stage 4: train the tower's late blocks and the adapters together, on pictures varied anew each time.

    python tune.py --data DATA --work WORK [--minutes 60]

Starts from WORK/adapters.pt and goes on from WORK/tuned.checkpoint where there is one, which it writes every hundred
steps. What it leaves is WORK/tuned.pt: the running averages of tower and adapters.
"""

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from adapters import load_adapters
from features import load_features, view
from figures import all_figures
from image_tower import AT_ONCE, ImageTower
from lesson import PARALLEL_WEIGHT, TEACHER_WEIGHT, Lesson
from pictures import TRAINING_SIZE, network_input, vary_art, vary_color, vary_photo
from pixels import Pixels
from text_tower import embed
from train import rate_at

SEED, STEPS = 21, 1600
REPORT_EVERY, SAVE_EVERY, MEASURE_EVERY = 10, 100, 200
GROUPS = ("captioned", "named", "drawn")
CAPTIONED, LABELED, DRAWN = 176, 176, 48
# Captions of other photos, and embeddings of earlier photos: more to be told from than one step can show.
MORE_CAPTIONS, REMEMBERED = 512, 704
TOWER_RATE, ADAPTERS_RATE, DECAY, AVERAGING = 2e-4, 4e-4, 0.05, 0.997
# The classifier has to go on understanding the tower's features.
KEPT_WEIGHT = 0.3
COARSE = {"captioned": 0.05, "named": 0.25}
# In between, every so-manieth picture tells enough.
SPARSE = {"captioned-dev": 1, "named-dev": 8, "drawn-dev": 4}


class Grafted(nn.Module):
    def __init__(self, work):
        super().__init__()
        self.tower = ImageTower()
        self.tower.train_late_blocks()
        self.adapters = load_adapters(work / "adapters.pt").requires_grad_(True)


class LiveEncoder:
    """What `figures` measures in between: a part of each group, through the tower."""

    def __init__(self, work, grafted):
        self.work, self.grafted, self.known = work, grafted, {}

    def texts(self, texts):
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known.update(zip(new, embed(new)))
        with torch.inference_mode():
            return self.grafted.adapters.text(torch.stack([self.known[text] for text in texts])).numpy()

    def pictures(self, group):
        pixels = Pixels(self.work, group)
        rows = range(0, len(pixels), SPARSE[group])
        embeddings = []
        with torch.inference_mode():
            for start in range(0, len(rows), 64):
                images = network_input([view(pixels[row], group, 0, row) for row in rows[start : start + 64]])
                embeddings.append(self.grafted.adapters.image(self.grafted.tower.features(images)))
        return [pixels.pictures[row] for row in rows], torch.cat(embeddings).numpy()


class Painter:
    """Draws a step's batch and renders it, varied, on all cores; learning waits, which is faster than sharing them."""

    def __init__(self, work, lesson, seed):
        self.pixels = {group: Pixels(work, group) for group in GROUPS}
        self.sources = {"captioned": lesson.captioned, "named": lesson.named, "drawn": lesson.drawn}
        self.rng = np.random.default_rng(seed)
        self.pool = ThreadPoolExecutor()

    def next(self):
        counts = dict(zip(GROUPS, (CAPTIONED, LABELED, DRAWN)))
        batch = {group: self.sources[group].sample(counts[group]) for group in GROUPS}
        wanted = [(group, row) for group in GROUPS for row in batch[group][0].tolist()]
        few = [wanted[i : i + AT_ONCE] for i in range(0, len(wanted), AT_ONCE)]
        images = self.pool.map(self.render, few, self.rng.spawn(len(few)))
        return batch, torch.cat([vary_color(network_input(some)).bfloat16() for some in images])

    def render(self, wanted, rng):
        return [self.vary(self.pixels[group][row], group, rng) for group, row in wanted]

    def vary(self, image, group, rng):
        if group == "drawn":
            return vary_art(image, rng, TRAINING_SIZE)
        return vary_photo(image, rng, TRAINING_SIZE, coarse=COARSE[group])


def tune(args):
    torch.manual_seed(SEED)
    grafted = Grafted(args.work)
    averaged = torch.optim.swa_utils.AveragedModel(
        grafted, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING)
    )
    lesson = Lesson(args.data, args.work, grafted.tower.classifier)
    logits = [torch.from_numpy(load_features(args.work, "original", group, 0, "logits")) for group in GROUPS[:2]]
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in grafted.tower.parameters() if p.requires_grad], "peak": TOWER_RATE},
            {"params": grafted.adapters.parameters(), "peak": ADAPTERS_RATE},
        ],
        weight_decay=DECAY,
    )
    encoder = LiveEncoder(args.work, averaged.module)
    step, checkpoint = 0, args.work / "tuned.checkpoint"
    memory = torch.empty(0), torch.empty(0, dtype=torch.long)
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        grafted.load_state_dict(saved["grafted"])
        averaged.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["random"])
        step, memory = saved["step"], saved["memory"]
    painter = Painter(args.work, lesson, [SEED, step])

    began, first = time.time(), step
    grafted.train()
    while step < args.steps and time.time() - began < args.minutes * 60:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, args.steps, group["peak"])
        loss, memory = step_loss(grafted, lesson, logits, painter, memory)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(grafted.parameters(), 5.0)
        optimizer.step()
        averaged.update_parameters(grafted)
        step += 1

        if step % REPORT_EVERY == 0:
            pace = (step - first) / (time.time() - began)
            pictures, left = pace * (CAPTIONED + LABELED + DRAWN), (args.steps - step) / pace / 60
            print(f"step {step} loss {loss:.3f} {pictures:.0f} pictures/s {left:.1f} min left", flush=True)
        if step % MEASURE_EVERY == 0 or step == args.steps:
            averaged.module.eval()
            figures = all_figures(encoder, args.data)
            print(f"step {step} " + json.dumps({name: round(value, 4) for name, value in figures.items()}), flush=True)
        if step % SAVE_EVERY == 0 or step == args.steps:
            parts = averaged.module
            torch.save({"tower": parts.tower.state_dict(), "adapters": parts.adapters.state_dict(), "step": step}, args.work / "tuned.pt")
            state = {
                "grafted": grafted.state_dict(),
                "average": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "step": step,
                "memory": memory,
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


def step_loss(grafted, lesson, logits, painter, memory):
    batch, pixels = painter.next()
    features = grafted.tower.features(pixels)
    images = grafted.adapters.image(features)
    shares = [CAPTIONED, LABELED, DRAWN]
    captioned, named, drawn = images.split(shares)

    _, more_texts, more_classes = lesson.captioned.sample(MORE_CAPTIONS)
    rows, texts, classes = batch["captioned"]
    new = ~torch.isin(memory[1], classes)
    known, known_classes = memory[0][new], memory[1][new]
    told = lesson.match(
        grafted.adapters,
        torch.cat([captioned, known]),
        torch.cat([classes, known_classes]),
        torch.cat([texts, more_texts]),
        torch.cat([classes, more_classes]),
    )
    shown_classes = torch.cat([batch["named"][2], batch["drawn"][2]])
    shown_texts = torch.cat([batch["named"][1], batch["drawn"][1]])
    shown = lesson.match(grafted.adapters, torch.cat([named, drawn]), shown_classes, shown_texts, shown_classes)

    judged = CAPTIONED + LABELED
    teacher = torch.cat([logits[0][rows], logits[1][batch["named"][0]]])
    taught = lesson.name(grafted.adapters, images[:judged], teacher)
    dreamt = lesson.dream(grafted.adapters, features[:judged].detach())
    kept = F.cross_entropy(grafted.tower.logits(features[:judged]), teacher.float().softmax(1))
    loss = (
        told
        + shown
        + TEACHER_WEIGHT * (taught + dreamt) / 2
        + PARALLEL_WEIGHT * lesson.translate(grafted.adapters)
        + KEPT_WEIGHT * kept
    )
    memory = (
        torch.cat([captioned.detach(), known])[:REMEMBERED],
        torch.cat([classes, known_classes])[:REMEMBERED],
    )
    return loss, memory


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--minutes", type=float, default=140, help="stop after so long; the next run goes on")
    tune(parser.parse_args())


if __name__ == "__main__":
    main()
