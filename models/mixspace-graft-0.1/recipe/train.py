"""Stage 2: train the adapters on stored features.

    python train.py --data DATA --work WORK

2,400 steps, about 8 minutes on two cores; goes on from WORK/checkpoint.pt where there is one. What ships is
WORK/best.pt: the weights' running average at the step where photos and names of `dev` were found best; the held-out
art has no say in it.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from adapters import Adapters
from features import load_group
from figures import all_figures, imagenet_names
from prompts import ART, PHOTO, fill
from text_tower import embed

SEED, STEPS = 20, 2400
REPORT_EVERY, MEASURE_EVERY = 50, 300
CAPTIONED, LABELED, DRAWN = 512, 512, 192
TEACHER_WEIGHT, TEACHER_ROWS = 1.0, 512
RATE, WARM_UP, DECAY, AVERAGING = 1e-3, 50, 0.05, 0.995


class FeatureEncoder:
    """Stored features through the adapters: what `figures` measures in training, in float32."""

    def __init__(self, work, adapters):
        self.work, self.adapters, self.groups, self.known = work, adapters, {}, {}

    def texts(self, texts):
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            self.known.update(zip(new, embed(new)))
        with torch.inference_mode():
            return self.adapters.text(torch.stack([self.known[text] for text in texts])).numpy()

    def pictures(self, group):
        if group not in self.groups:
            pictures, features, _ = load_group(self.work, group)
            self.groups[group] = pictures, torch.from_numpy(features).float()
        pictures, features = self.groups[group]
        with torch.inference_mode():
            return pictures, self.adapters.image(features).numpy()


class Captioned:
    """Photos with captions; each photo has its stored views, of which a step sees one."""

    def __init__(self, work):
        pictures, plain, logits = load_group(work, "flickr8k-train")
        _, varied, varied_logits = load_group(work, "flickr8k-train-views")
        views = len(varied) // len(pictures)
        self.views, self.photos = 1 + views, len(pictures)
        self.features = torch.from_numpy(np.concatenate([plain, varied[: views * self.photos]]))
        self.logits = torch.from_numpy(np.concatenate([logits, varied_logits[: views * self.photos]]))
        self.captions = embed([caption for p in pictures for caption in p.captions]).view(self.photos, 5, -1)

    def sample(self, count):
        photos = torch.randperm(self.photos)[:count]
        rows = torch.randint(self.views, (count,)) * self.photos + photos
        texts = self.captions[photos, torch.randint(5, (count,))]
        return self.features[rows].float(), texts, self.logits[rows], -1 - photos


class Named:
    """Pictures with a name, which a step puts into one of the templates."""

    def __init__(self, work, groups, templates, class_offset):
        stored = [load_group(work, group) for group in groups]
        pictures = [p for group, _, _ in stored for p in group]
        kept = [i for i, p in enumerate(pictures) if p.label]
        names = sorted({pictures[i].label for i in kept})
        numbers = {name: number for number, name in enumerate(names)}
        self.labels = torch.tensor([numbers[pictures[i].label] for i in kept])
        self.features = torch.from_numpy(np.concatenate([features for _, features, _ in stored])[kept])
        self.logits = torch.from_numpy(np.concatenate([logits for _, _, logits in stored])[kept])
        self.prompts = embed([fill(template, name) for name in names for template in templates])
        self.prompts = self.prompts.view(len(names), len(templates), -1)
        self.class_offset = class_offset
        # A name with many pictures is drawn more often than a rare one, but less so than it has more pictures.
        self.weights = torch.bincount(self.labels)[self.labels].float().pow(-0.5)

    def sample(self, count):
        rows = torch.multinomial(self.weights, count)
        labels = self.labels[rows]
        texts = self.prompts[labels, torch.randint(self.prompts.shape[1], (count,))]
        return self.features[rows].float(), texts, self.logits[rows], labels + self.class_offset


def contrast(images, texts, classes, scale):
    """InfoNCE both ways; all pictures and texts of one class belong together."""
    same = (classes[:, None] == classes[None]).float()
    target = same / same.sum(1, keepdim=True)
    logits = scale * images @ texts.T
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def train(args):
    torch.manual_seed(SEED)
    adapters = Adapters()
    captioned = Captioned(args.work)
    labeled = Named(args.work, [f"photos-train-{i}" for i in range(4)], PHOTO, 0)
    drawn = Named(args.work, ["art-train", "art-train-views"], ART, 1_000_000)
    names = imagenet_names(args.data)
    class_prompts = embed([fill(template, name) for template in PHOTO for name in names]).view(len(PHOTO), 1000, -1)
    adapters.image.standardize_like(torch.cat([captioned.features, labeled.features]).float())
    adapters.text.standardize_like(torch.cat([captioned.captions.flatten(0, 1), labeled.prompts.flatten(0, 1)]))
    averaged = torch.optim.swa_utils.AveragedModel(
        adapters, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(AVERAGING)
    )
    optimizer = torch.optim.AdamW(adapters.parameters(), RATE, weight_decay=DECAY)
    encoder = FeatureEncoder(args.work, averaged.module)
    step, best = 0, 0.0
    checkpoint = args.work / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        adapters.load_state_dict(saved["adapters"])
        averaged.load_state_dict(saved["average"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["random"])
        step, best = saved["step"], saved["best"]
    print(f"{captioned.photos} captioned, {len(labeled.labels)} labelled, {len(drawn.labels)} drawn", flush=True)

    began, first = time.time(), step
    while step < STEPS:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        loss = step_loss(adapters, captioned, labeled, drawn, class_prompts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        adapters.logit_scale.data.clamp_(max=math.log(100))
        averaged.update_parameters(adapters)
        step += 1

        if step % REPORT_EVERY == 0:
            pace = (step - first) / (time.time() - began)
            left = (STEPS - step) / pace / 60
            print(f"step {step} loss {loss:.3f} {pace:.1f} steps/s {left:.1f} min left", flush=True)
        if step % MEASURE_EVERY == 0:
            averaged.module.eval()
            figures = all_figures(encoder, args.data)
            print(f"step {step} " + json.dumps({name: round(value, 4) for name, value in figures.items()}), flush=True)
            score = figures["text_to_image_r10"] + figures["tiny_imagenet"] / 2
            if score > best:
                best = score
                chosen = {"averaged": averaged.module.state_dict(), "step": step, "figures": figures}
                torch.save(chosen, args.work / "best.pt")
            state = {
                "adapters": adapters.state_dict(),
                "average": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
                "step": step,
                "best": best,
            }
            torch.save(state, checkpoint)


def rate_at(step):
    """A short warm-up, then half a cosine."""
    return RATE * min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / STEPS)) / 2


def step_loss(adapters, captioned, labeled, drawn, class_prompts):
    batches = [captioned.sample(CAPTIONED), labeled.sample(LABELED), drawn.sample(DRAWN)]
    features, texts, logits, classes = (torch.cat(parts) for parts in zip(*batches))
    images, texts = adapters.image(features), adapters.text(texts)
    scale = adapters.logit_scale.exp()
    told = slice(0, CAPTIONED)
    named = slice(CAPTIONED, None)
    loss = contrast(images[told], texts[told], classes[told], scale)
    loss = loss + contrast(images[named], texts[named], classes[named], scale)

    rows = torch.randperm(CAPTIONED + LABELED)[:TEACHER_ROWS]
    taught = adapters.text(class_prompts[torch.randint(len(class_prompts), ())])
    probabilities = logits[rows].float().softmax(1)
    return loss + TEACHER_WEIGHT * F.cross_entropy(scale * images[rows] @ taught.T, probabilities)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
