"""What a step of training sees: rows of pictures, the texts' features that go with them, and who belongs together."""

import torch

import languages
from pixels import Pixels
from prompts import fill
from text_tower import embed_stored

# A random text besides English stands for a name this often, where there is one.
TRANSLATED = 0.3
EMOJI_OFFSET = 1_000_000


class Captioned:
    """Photos with five captions each. Classes are negative: no two photos belong together."""

    def __init__(self, work):
        pictures = Pixels(work, "captioned").pictures
        captions = embed_stored(work, "captions", [caption for p in pictures for caption in p.captions])
        self.texts = captions.view(len(pictures), 5, -1)

    def sample(self, count):
        rows = torch.randperm(len(self.texts))[:count]
        return rows, self.texts[rows, torch.randint(5, (count,))], -1 - rows


class Named:
    """Pictures with a name, put into one of the templates or said in another language."""

    def __init__(self, work, group, templates, class_offset=0):
        pictures = Pixels(work, group).pictures
        self.rows = torch.tensor([row for row, picture in enumerate(pictures) if picture.label])
        labels = [pictures[row].label for row in self.rows]
        names = sorted(set(labels))
        numbers = {name: number for number, name in enumerate(names)}
        self.labels = torch.tensor([numbers[label] for label in labels])
        english = [fill(template, name) for name in names for template in templates]
        self.prompts = embed_stored(work, f"{group}-prompts", english).view(len(names), len(templates), -1)
        known = languages.translations_of_names()
        translations = [known.get(name.lower(), []) for name in names]
        self.translations = embed_stored(work, f"{group}-translations", [t for some in translations for t in some])
        self.counts = torch.tensor([len(some) for some in translations])
        self.starts = self.counts.cumsum(0) - self.counts
        self.class_offset = class_offset
        # A name with many pictures is drawn more often than a rare one, but less so than it has more pictures.
        self.weights = torch.bincount(self.labels)[self.labels].float().pow(-0.5)

    def sample(self, count):
        chosen = torch.multinomial(self.weights, count)
        labels = self.labels[chosen]
        texts = self.prompts[labels, torch.randint(self.prompts.shape[1], (count,))]
        counts = self.counts[labels]
        translated = (torch.rand(count) < TRANSLATED) & (counts > 0)
        picks = self.starts[labels] + (torch.rand(count) * counts).long()
        texts[translated] = self.translations[picks[translated]]
        return self.rows[chosen], texts, labels + self.class_offset


class Parallel:
    """Pairs of one sense in two languages, and how far their features lie apart."""

    def __init__(self, work):
        self.pairs = [Pairs(work, kind, rows) for kind, rows in (("captions", languages.captions()), ("names", languages.names_in_sentences()))]

    def sample(self, count):
        """Features of English and of another language, and classes: equal where the English is."""
        parts = [pairs.sample(count // len(self.pairs)) for pairs in self.pairs]
        return tuple(torch.cat(part) for part in zip(*parts))

    def apart(self, count):
        """What another language does to a text's features: differences of random pairs."""
        english, other, _ = self.sample(count)
        return (other - english)[torch.randperm(len(english))]


class Pairs:
    def __init__(self, work, kind, rows):
        english = sorted({row["en"] for row in rows})
        numbers = {text: number for number, text in enumerate(english)}
        pairs = sorted({(numbers[row["en"]], text) for row in rows for language, text in row.items() if language != "en"})
        self.english = embed_stored(work, f"parallel-{kind}-en", english)
        self.others = embed_stored(work, f"parallel-{kind}", [text for _, text in pairs])
        self.numbers = torch.tensor([number for number, _ in pairs])
        self.offset = 0 if kind == "captions" else 1_000_000

    def sample(self, count):
        chosen = torch.randint(len(self.numbers), (count,))
        numbers = self.numbers[chosen]
        return self.english[numbers], self.others[chosen], numbers + self.offset
