"""Pictures to calibrate on, a folder a name: of the two sources that no tower was trained on, split train, without the names
that the evaluation of classification asks (test/eval/classify.ts).

    python calibration_pictures.py ../../../../shared/data /tmp/known
    mixspace models calibrate mixspace-graft-0.3 --pictures /tmp/known
"""
import pathlib
import sqlite3
import sys

SOURCES = ('imagenet-sample-1000', 'nips17-dev')
EVALUATED = ('tiny-imagenet', 'tiny-imagenet-val', 'cifar10-test', 'caltech101', 'popular-animals', 'sports22', 'instruments30', 'intel-scenes', 'flowers5')

data, out = map(pathlib.Path, sys.argv[1:])


def rows(query, values):
    for file in sorted(data.glob('photos-*.sqlite')):
        yield from sqlite3.connect(f'file:{file}?mode=ro', uri=True).execute(query, values)


def marks(values):
    return ', '.join('?' * len(values))


evaluated = {label.lower() for label, in rows(f'SELECT DISTINCT label FROM pictures WHERE label IS NOT NULL AND source IN ({marks(EVALUATED)})', EVALUATED)}
count = 0
for number, label, webp in rows(f"SELECT id, label, webp FROM pictures WHERE split = 'train' AND label IS NOT NULL AND source IN ({marks(SOURCES)}) ORDER BY source, id", SOURCES):
    if label.lower() in evaluated or '/' in label:
        continue
    folder = out / label.lower()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'{count}.webp').write_bytes(webp)
    count += 1
print(count, 'pictures of', len(list(out.iterdir())), 'names')
