"""Stage 1: run the image tower over every picture once and store what it sees.

    python features.py --data DATA --art ART --work WORK

Groups are stored in chunks; a chunk that is there is not made again, so a stopped run goes on where it was.
"""

import argparse
import pickle
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnxruntime

from image_tower import export_teacher
from pictures import (
    HELD_OUT_SOURCES,
    HELD_OUT_STYLE,
    PHOTO_FILES,
    TRAINING_STYLES,
    Reader,
    network_input,
    read_art,
    read_database,
    view_of,
    views,
)

CHUNK, BATCH = 1024, 32
PHOTO_VIEWS, ART_VIEWS = 6, 5


def groups(data, art):
    """Name -> pictures; the most useful first."""
    held_out = "source in " + str(HELD_OUT_SOURCES)
    train = f"split = 'train' and (label is not null or captions is not null) and not {held_out}"
    captioned = read_database(data / "flickr8k.sqlite", "split = 'train'")
    drawn = [picture for style in TRAINING_STYLES for picture in read_art(art, style)]
    photos = [data / name for name in PHOTO_FILES]
    named = {"flickr8k-dev": read_database(data / "flickr8k.sqlite", "split = 'dev'"), "flickr8k-train": captioned}
    named["art-train"] = drawn
    named["art-dev"] = read_art(art, HELD_OUT_STYLE)
    named["photos-dev"] = [p for path in photos for p in read_database(path, f"split = 'dev' or {held_out}")]
    named["photos-train-0"] = read_database(photos[0], train)
    named["photos-train-1"] = read_database(photos[1], train)
    named["art-train-views"] = views(drawn, ART_VIEWS)
    named["flickr8k-train-views"] = views(captioned, PHOTO_VIEWS)
    named["photos-train-2"] = read_database(photos[2], train)
    named["photos-train-3"] = read_database(photos[3], train)
    return named


def start_worker(model):
    global session, read
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    read = Reader()


def run_chunk(job):
    path, pictures = job
    features, logits = [], []
    for start in range(0, len(pictures), BATCH):
        batch = [network_input(view_of(read(p), p)) for p in pictures[start : start + BATCH]]
        f, l = session.run(None, {"pixel_values": np.stack(batch)})
        features.append(f.astype(np.float16))
        logits.append(l.astype(np.float16))
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, features=np.concatenate(features), logits=np.concatenate(logits))
    part.rename(path)
    return len(pictures)


def chunk_path(work, group, index):
    return work / "features" / f"{group}-{index:03d}.npz"


def load_group(work, group):
    """The pictures of a group as far as they are stored, their features and their logits."""
    pictures = pickle.loads((work / "features" / f"{group}.pickle").read_bytes())
    kept, features, logits = [], [], []
    for index, start in enumerate(range(0, len(pictures), CHUNK)):
        path = chunk_path(work, group, index)
        if path.exists():
            chunk = np.load(path)
            kept += pictures[start : start + CHUNK]
            features.append(chunk["features"])
            logits.append(chunk["logits"])
    return kept, np.concatenate(features), np.concatenate(logits)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="folder of the SQLite files")
    parser.add_argument("--art", type=Path, required=True, help="folder that demo/gallery.ts rendered")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything in between")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()

    (args.work / "features").mkdir(parents=True, exist_ok=True)
    model = args.work / "image_tower.onnx"
    if not model.exists():
        export_teacher(model)

    jobs = []
    for group, pictures in groups(args.data, args.art).items():
        (args.work / "features" / f"{group}.pickle").write_bytes(pickle.dumps(pictures))
        for index, start in enumerate(range(0, len(pictures), CHUNK)):
            path = chunk_path(args.work, group, index)
            if not path.exists():
                jobs.append((path, pictures[start : start + CHUNK]))

    total, done, began = sum(len(pictures) for _, pictures in jobs), 0, time.time()
    print(f"{total} pictures to go", flush=True)
    with get_context("spawn").Pool(args.workers, start_worker, (model,)) as pool:
        for count in pool.imap(run_chunk, jobs):
            done += count
            rate = done / (time.time() - began)
            print(f"{done}/{total} pictures, {rate:.0f}/s, {(total - done) / rate / 60:.1f} min left", flush=True)


if __name__ == "__main__":
    main()
