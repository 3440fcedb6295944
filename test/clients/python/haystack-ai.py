# /// script
# requires-python = ">=3.10"
# dependencies = ["haystack-ai==3.4.1"]
# ///
from expected import key, model, ran, same, text_vectors, texts, url
from haystack import Document
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.utils import Secret

settings = {"model": model, "api_base_url": f"{url}/v1", "api_key": Secret.from_token(key)}
same([OpenAITextEmbedder(**settings).run(texts[0])["embedding"]], text_vectors[:1])
documents = OpenAIDocumentEmbedder(**settings, progress_bar=False).run([Document(content=text) for text in texts])["documents"]
same([each.embedding for each in documents], text_vectors)
ran("OpenAITextEmbedder, OpenAIDocumentEmbedder")
