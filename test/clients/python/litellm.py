# /// script
# requires-python = ">=3.10"
# dependencies = ["litellm==1.110.2"]
# ///
from expected import data_uri, key, model, picture_vector, ran, same, text_vectors, texts, url
from litellm import embedding


def vectors(**settings):
    return [each["embedding"] for each in embedding(api_key=key, **settings).data]


same(vectors(model=f"openai/{model}", api_base=f"{url}/v1", input=texts), text_vectors)
same(vectors(model=f"hosted_vllm/{model}", api_base=f"{url}/v1", input=texts), text_vectors)
same(vectors(model=f"jina_ai/{model}", api_base=f"{url}/v1", input=[*texts, data_uri]), [*text_vectors, picture_vector])
same(vectors(model=f"infinity/{model}", api_base=f"{url}/v1", input=texts), text_vectors)
ran("embedding by openai/, hosted_vllm/, jina_ai/ with a picture, infinity/")
same(vectors(model=f"ollama/{model}", api_base=url, input=texts), text_vectors)
ran("embedding by ollama/")
