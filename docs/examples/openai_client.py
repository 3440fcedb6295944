import os

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8080/v1", api_key=os.environ.get("MIXSPACE_API_KEY", "none"))

texts = ["a red bicycle", "ein rotes Fahrrad", "a bowl of soup"]
answer = client.embeddings.create(model="mixspace-graft-0.3", input=texts)

# Embeddings have length 1, so the dot product is the cosine.
first, *others = [each.embedding for each in answer.data]
for text, other in zip(texts[1:], others):
    print(f"{texts[0]} / {text}: {sum(a * b for a, b in zip(first, other)):.3f}")
