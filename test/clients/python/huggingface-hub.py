# /// script
# requires-python = ">=3.10"
# dependencies = ["huggingface-hub==2.4.0", "numpy==2.3.5"]
# ///
from expected import key, ran, refused, same, text_vectors, texts, url
from huggingface_hub import InferenceClient

client = InferenceClient(model=url, token=key)
same(client.feature_extraction(texts[0]), text_vectors[:1])
same(client.feature_extraction(texts), text_vectors)
ran("feature_extraction of one text and of two")
refused(lambda: client.feature_extraction([]), "inputs")
ran("an empty list")
