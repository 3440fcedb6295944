"""The same thing said in many languages: what keeps the text's side from learning English alone.

`parallel/*.captions.jsonl`, `parallel/*.names.jsonl` and `parallel/templates.jsonl` were written for this recipe, in all
sixteen languages. Emoji have names in twelve of them in the PyPI package `emoji` (from Unicode's CLDR).
"""

import json
from functools import cache
from pathlib import Path

import emoji

from prompts import fill

FOLDER = Path(__file__).parent / "parallel"
LANGUAGES = "ar de en es fr it ja ko nl pl pt ru th tr zh zh-Hant".split()


def read(pattern):
    return [json.loads(line) for path in sorted(FOLDER.glob(pattern)) for line in path.read_text().splitlines()]


@cache
def captions():
    """Rows of {language: sentence}."""
    return read("*.captions.jsonl")


@cache
def names():
    """Rows of {language: name}, emoji among them."""
    return read("*.names.jsonl") + emoji_names()


@cache
def templates():
    return read("templates.jsonl")


def emoji_names():
    emoji.config.load_language()
    rows = []
    for entry in emoji.EMOJI_DATA.values():
        if "skin" in entry["en"] or entry["status"] != emoji.STATUS["fully_qualified"]:
            continue
        row = {language: in_words(entry[language]) for language in LANGUAGES if language in entry}
        aliases = [{**row, "en": in_words(alias)} for alias in entry.get("alias", ())]
        rows += [row, *aliases]
    return rows


def in_words(code):
    """":hot_air_balloon:" as "hot air balloon"."""
    return code.strip(":").replace("_", " ").replace("-", " ").replace(":", "").strip()


@cache
def names_in_sentences():
    """The rows of `names`, and each once more in one of the templates."""
    return names() + [in_template(row, templates()[number % len(templates())]) for number, row in enumerate(names())]


def in_template(row, template):
    return {language: fill(template[language], name) for language, name in row.items()}


@cache
def translations_of_names():
    """English name in lower case -> what it is called in other languages, bare and in sentences."""
    known = {}
    for row, sentence in zip(names(), names_in_sentences()[len(names()) :]):
        texts = [r[language] for r in (row, sentence) for language in row if language != "en"]
        known.setdefault(row["en"].lower(), texts)
    return known
