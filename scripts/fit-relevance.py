"""Fits the coefficients of src/operations/search/relevance/relevance.ts.

    python3 scripts/fit-relevance.py FOLDER

FOLDER holds float32 rows, normalised, of one model: pictures.f32 and names.f32 (queries), background.f32 (the texts of
background-texts.ts), dimension given by --dimension; and truth.jsonl, a line a name: {"shows": [picture, ...],
"may_show": [picture, ...]}, the pictures whose label or captions hold the name or one of its kinds (WordNet's hyponyms of
its first sense), and those that may for another sense. Names must be none of test/eval/concepts.jsonl.

The shipped figures: mixspace-graft 0.3, 23,590 pictures, 1,715 names (labels of the pictures, LVIS's categories, the
background's own), 8 collections of 100, 4 of 1,000, one of all, each size weighing the same, the first ten of each
query's pictures, right or not: logistic regression, C = 100.
"""
import argparse
import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression

SAMPLED, LOOKED, SEEN = 256, 5, 10

arguments = argparse.ArgumentParser()
arguments.add_argument("folder", type=pathlib.Path)
arguments.add_argument("--dimension", type=int, default=256)
arguments = arguments.parse_args()


def rows(name):
    return np.fromfile(arguments.folder / name, np.float32).reshape(-1, arguments.dimension)


pictures, names, background = rows("pictures.f32"), rows("names.f32"), rows("background.f32")
truth = [json.loads(line) for line in open(arguments.folder / "truth.jsonl")]


def collect(chosen, random, most):
    place = np.full(len(pictures), -1)
    place[chosen] = np.arange(len(chosen))
    held = pictures[chosen]
    sample = held[np.arange(min(len(held), SAMPLED)) * len(held) // min(len(held), SAMPLED)]
    shows = [set(place[each["shows"]].tolist()) - {-1} for each in truth]
    may = [(place[each["may_show"]] >= 0).any() for each in truth]
    present = [i for i in range(len(names)) if shows[i]]
    absent = [i for i in range(len(names)) if not shows[i] and not may[i]]
    evidence, right = [], []
    for i in [*random.permutation(present)[:most], *random.permutation(absent)[:most]]:
        scores = held @ names[i]
        best = np.argsort(-scores, kind="stable")[:SEEN]
        among_texts = background @ held[best[:LOOKED]].T
        among_list = sample @ names[i]
        evidence.append(np.stack([
            (scores[best] - among_texts.mean()) / among_texts.std(0).mean(),
            (scores[best] - among_list.mean()) / among_list.std(),
            np.full(len(best), np.log(len(held))),
        ], 1))
        right.append([k in shows[i] for k in best])
    return np.concatenate(evidence), np.concatenate(right)


evidence, right, weights = [], [], []
for size, draws, most in ((100, 8, 60), (1_000, 4, 200), (len(pictures), 1, 400)):
    random = np.random.default_rng(3 + size % 97)
    drawn = [collect(np.sort(random.choice(len(pictures), size, replace=False)), random, most) for _ in range(draws)]
    evidence += [each for each, _ in drawn]
    right += [each for _, each in drawn]
    total = sum(len(each) for _, each in drawn)
    weights += [np.full(len(each), 1e4 / total) for _, each in drawn]
fitted = LogisticRegression(C=100, max_iter=2000).fit(np.concatenate(evidence), np.concatenate(right), sample_weight=np.concatenate(weights))
print(dict(zip(("texts", "list", "count"), fitted.coef_[0].round(4).tolist())), "bias", fitted.intercept_.round(4).tolist())
