"""The figures that tell how good a pair of encoders is, on pictures nobody trained on.

An encoder has `texts(list of str)` and `pictures(group)`, the latter giving the pictures and their embeddings;
embeddings are normalised arrays.
"""

import json
from collections import defaultdict

import numpy as np

from pictures import HELD_OUT_SOURCES
from prompts import ENSEMBLE, fill


def all_figures(encoder, data):
    figures = retrieval(encoder, data)
    pictures, embeddings = encoder.pictures("named-dev")
    for figure, source in (("tiny_imagenet", "tiny-imagenet-val"), ("cifar10", "cifar10-test")):
        rows = [i for i, p in enumerate(pictures) if p.source == source]
        labels = [pictures[i].label for i in rows]
        figures[figure] = zero_shot(encoder, embeddings[rows], labels, sorted(set(labels)), ENSEMBLE)
        figures[f"{figure}_single"] = zero_shot(
            encoder, embeddings[rows], labels, sorted(set(labels)), ("a photo of a {}",)
        )
    rows = [i for i, p in enumerate(pictures) if p.source in HELD_OUT_SOURCES]
    figures["imagenet_names"] = zero_shot(
        encoder, embeddings[rows], [pictures[i].label for i in rows], imagenet_names(data), ENSEMBLE
    )
    return figures | art(encoder)


def retrieval(encoder, data):
    """Captions over all dev photos; the translated ones beside the same captions in English."""
    pictures, embeddings = encoder.pictures("captioned-dev")
    captions = [(i, caption) for i, p in enumerate(pictures) for caption in p.captions]
    owners = np.array([i for i, _ in captions])
    scores = encoder.texts([caption for _, caption in captions]) @ embeddings.T
    ranks = ranks_of(scores, owners)
    figures = {f"text_to_image_r{k}": recall(ranks, k) for k in (1, 5, 10)}

    best_own = np.array([scores[owners == i, i].max() for i in range(len(pictures))])
    better = np.array([(scores[owners != i, i] > best_own[i]).sum() for i in range(len(pictures))])
    figures |= {f"image_to_text_r{k}": recall(better, k) for k in (1, 5, 10)}

    rows = {p.name: i for i, p in enumerate(pictures)}
    for file in ("flickr8k-dev-zh.jsonl", "flickr8k-dev-de-fr.jsonl"):
        entries = [json.loads(line) for line in (data / file).read_text().splitlines()]
        owners = np.array([rows[entry["name"]] for entry in entries])
        texts = defaultdict(list)
        for entry, owner in zip(entries, owners):
            texts["en"].append(pictures[owner].captions[entry["caption"]])
            for language in entry.keys() - {"name", "caption"}:
                texts[language].append(entry[language])
        for language in sorted(texts):
            name = f"{'-'.join(sorted(texts.keys() - {'en'}))}_in_en" if language == "en" else language
            figures[f"{name}_r10"] = recall(ranks_of(encoder.texts(texts[language]) @ embeddings.T, owners), 10)
    return figures


def art(encoder):
    """Names over the art style that training never saw, one picture a name."""
    pictures, embeddings = encoder.pictures("drawn-dev")
    ranks = ranks_of(encoder.texts([p.label for p in pictures]) @ embeddings.T, np.arange(len(pictures)))
    return {"art_names": len(pictures)} | {f"art_r{k}": recall(ranks, k) for k in (1, 10)}


def zero_shot(encoder, embeddings, labels, names, templates):
    classes = sum(encoder.texts([fill(template, name) for name in names]) for template in templates)
    classes /= np.linalg.norm(classes, axis=1, keepdims=True)
    guesses = (embeddings @ classes.T).argmax(1)
    return float(np.mean([names[guess] == label for guess, label in zip(guesses, labels)]))


def imagenet_names(data):
    """The classifier's classes in its order, each by its first synonym."""
    lines = (data / "teachers" / "imagenet_labels.txt").read_text().splitlines()
    return [line.split(",")[0] for line in lines[1:]]


def ranks_of(scores, owners):
    own = scores[np.arange(len(owners)), owners]
    return (scores > own[:, None]).sum(1)


def recall(ranks, k):
    return float((ranks < k).mean())
