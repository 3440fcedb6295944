# /// script
# requires-python = ">=3.10"
# dependencies = ["openai==3.57.0"]
# ///
from expected import key, model, ran, refused, same, text_vectors, texts, url
from openai import OpenAI

client = OpenAI(base_url=f"{url}/v1", api_key=key)
same([each.embedding for each in client.embeddings.create(model=model, input=texts).data], text_vectors)
same([client.embeddings.create(model="text-embedding-3-small", input=texts[0], encoding_format="float").data[0].embedding], text_vectors[:1])
ran("embeddings.create, base64 and float, an alias")
assert model in [each.id for each in client.models.list().data]
assert client.models.retrieve(model).id == model
ran("models.list, models.retrieve")
refused(lambda: client.embeddings.create(model="nothing", input="a"), "nothing")
ran("an unknown model")
