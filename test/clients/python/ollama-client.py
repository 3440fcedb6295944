# /// script
# requires-python = ">=3.10"
# dependencies = ["ollama==0.6.3"]
# ///
from expected import key, model, ran, refused, same, text_vectors, texts, url
from ollama import Client

client = Client(host=url, headers={"Authorization": f"Bearer {key}"})
same(client.embed(model=model, input=texts).embeddings, text_vectors)
same(client.embed(model=f"{model}:latest", input=texts[0], truncate=True).embeddings, text_vectors[:1])
same([client.embeddings(model=model, prompt=texts[1]).embedding], text_vectors[1:])
ran("embed, embeddings")
assert f"{model}:latest" in [each.model for each in client.list().models]
assert client.show(model).modelinfo["clip.embedding_length"] == len(text_vectors[0])
client.ps()
ran("list, show, ps")
refused(lambda: client.embed(model="nothing", input="a"), "model 'nothing' not found")
ran("an unknown model")
