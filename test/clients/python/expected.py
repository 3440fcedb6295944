"""What clients compare with, and how they tell what they have done."""
import json
import math
import os

with open(os.environ["EXPECTED"]) as file:
    EXPECTED = json.load(file)
url, key, model, collection = (EXPECTED[name] for name in ("url", "key", "model", "collection"))
texts, text_vectors = EXPECTED["texts"], EXPECTED["textVectors"]
picture, picture_file, picture_vector = EXPECTED["picture"], EXPECTED["pictureFile"], EXPECTED["pictureVector"]
data_uri = "data:image/png;base64," + picture


def same(vectors, references):
    """Each vector is the one that /v1/embeddings gave."""
    assert len(vectors) == len(references), f"{len(vectors)} vectors for {len(references)}"
    for vector, reference in zip(vectors, references):
        vector = [float(value) for value in vector]
        assert len(vector) == len(reference), f"{len(vector)} numbers for {len(reference)}"
        cosine = sum(a * b for a, b in zip(vector, reference)) / (math.hypot(*vector) * math.hypot(*reference))
        assert cosine > 0.999999, f"a cosine of {cosine}"


def refused(call, words):
    """The client raises, and its error holds what the service said."""
    try:
        call()
    except Exception as error:
        told = f"{error} {getattr(error, 'body', '')} {getattr(error, 'response', '') and getattr(error.response, 'text', '')}"
        assert words in told, f"refused without {words!r}: {told}"
    else:
        raise AssertionError("nothing was refused")


def ran(what):
    print("ran: " + what)
