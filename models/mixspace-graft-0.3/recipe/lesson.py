"""What training asks for: the loss of one step, the same for adapters alone and for adapters with the tower."""

import torch
from torch.nn import functional as F

from batches import EMOJI_OFFSET, Captioned, Named, Parallel
from figures import imagenet_names
from prompts import ART, DRAWN, PHOTO, fill
from text_tower import embed_stored

# Weight of the picture tower's own classifier as a teacher, and of pairs in two languages.
TEACHER_WEIGHT, PARALLEL_WEIGHT = 1.0, 0.3
PAIRS = 384
# A text's features are moved as another language would move them, so often and at most so far.
MOVED, FURTHEST = 0.5, 1.2
# Of the pictures' features that the classifier judges, half are mixed with another's, and half dreamt of.
MIXED, DREAMT = 0.5, 0.5


class Lesson:
    def __init__(self, data, work, classifier, wordings=0):
        """`classifier`: the picture tower's own, features -> logits over the 1,000 ImageNet names.

        `wordings`: of so many templates at once, without noise, are its names made; 0: of one, with noise.
        """
        self.classifier, self.wordings = classifier, wordings
        self.captioned = Captioned(work)
        self.named = Named(work, "named", PHOTO)
        self.drawn = Named(work, "drawn", ART, EMOJI_OFFSET)
        self.parallel = Parallel(work)
        names = imagenet_names(data)
        templates = PHOTO + (DRAWN if wordings > 1 else ())
        prompts = embed_stored(work, "imagenet-prompts", [fill(t, name) for t in templates for name in names])
        self.class_prompts = prompts.view(len(templates), len(names), -1)

    def standardize(self, adapters, features):
        adapters.image.standardize_like(features.float())
        adapters.text.standardize_like(torch.cat([self.captioned.texts.flatten(0, 1), self.named.prompts.flatten(0, 1)]))

    def disturb(self, texts):
        """Features as another language, or another wording, would have them."""
        apart = torch.cat([self.parallel.apart(1024) for _ in range(-(-len(texts) // 1024))])[: len(texts)]
        much = FURTHEST * torch.rand(len(texts), 1) * (torch.rand(len(texts), 1) < MOVED)
        return texts + much * apart

    def match(self, adapters, images, image_classes, texts, text_classes):
        """Pictures (embeddings) and texts (features) of one class belong together."""
        return contrast(images, image_classes, adapters.text(self.disturb(texts)), text_classes, adapters.scale())

    def name(self, adapters, images, logits):
        """Pictures are told apart by the 1,000 names as the classifier tells them."""
        told = adapters.scale() * images @ self.class_embeddings(adapters).T
        return F.cross_entropy(told, logits.float().softmax(1))

    def class_embeddings(self, adapters):
        chosen = self.class_prompts[torch.randperm(len(self.class_prompts))[: self.wordings or 1]]
        training = adapters.text.training
        adapters.text.train(training and not self.wordings)
        embeddings = adapters.text(chosen.flatten(0, 1)).view(*chosen.shape[:2], -1).sum(0)
        adapters.text.train(training)
        return F.normalize(embeddings, dim=1)

    def dream(self, adapters, features):
        """The same on features of pictures that are not there.

        The classifier is linear, so it judges mixtures exactly; and it knows in which direction each of its classes
        lies, the many among them that no training picture shows.
        """
        with torch.no_grad():
            count = len(features)
            share = MIXED * torch.rand(count, 1) * (torch.rand(count, 1) < MIXED)
            features = (1 - share) * features + share * features[torch.randperm(count)]
            weights = self.classifier.weight
            directions = (weights - weights.mean(0))[torch.randint(len(weights), (count,))]
            reach = features.norm(dim=1, keepdim=True) / directions.norm(dim=1, keepdim=True)
            steps = torch.rand(count, 1) * (torch.rand(count, 1) < DREAMT)
            features = (features + steps * reach * directions).clamp(min=0)
            logits = self.classifier(features)
        return self.name(adapters, adapters.image(features), logits)

    def translate(self, adapters):
        """What has one sense in two languages belongs together."""
        english, other, classes = self.parallel.sample(PAIRS)
        return contrast(adapters.text(english), classes, adapters.text(other), classes, adapters.scale())


def contrast(images, image_classes, texts, text_classes, scale):
    """InfoNCE both ways; all pictures and texts of one class belong together, and what belongs to none only disturbs."""
    same = (image_classes[:, None] == text_classes[None]).float()
    logits = scale * images @ texts.T
    return (matching(logits, same) + matching(logits.T, same.T)) / 2


def matching(logits, same):
    counts = same.sum(1, keepdim=True)
    losses = F.cross_entropy(logits, same / counts.clamp(min=1), reduction="none")
    return losses.sum() / (counts > 0).sum()
