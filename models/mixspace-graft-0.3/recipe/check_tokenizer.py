"""Check: tokenizer.json against SentencePiece, and a file of texts and ids to check other readers of it with.

    python check_tokenizer.py --data DATA --package models/mixspace-graft-0.1 --out ids.json
"""

import argparse
import json
from pathlib import Path

from evaluate import PackageEncoder
from golden import TEXTS
from pictures import read_database
from text_tower import token_ids


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    texts = [c for p in read_database(args.data / "flickr8k.sqlite", "split = 'dev'") for c in p.captions]
    for file in ("flickr8k-dev-zh.jsonl", "flickr8k-dev-de-fr.jsonl"):
        for line in (args.data / file).read_text().splitlines():
            entry = json.loads(line)
            texts += [entry[language] for language in ("zh", "de", "fr") if language in entry]
    texts += [*TEXTS, "a <s> b </s> c <unk>", "extra_token_id_1", "👩‍👩‍👧 family", "😀 smile", "שלום ελληνικά"]

    encoder = PackageEncoder(args.package)
    ids = [token_ids(text) for text in texts]
    different = [text for text, expected in zip(texts, ids) if encoder.token_ids(text) != expected]
    print(f"{len(texts) - len(different)} of {len(texts)} texts agree; the others: {different}")
    args.out.write_text(json.dumps([{"text": t, "ids": i} for t, i in zip(texts, ids)], ensure_ascii=False))


if __name__ == "__main__":
    main()
