# /// script
# requires-python = ">=3.10"
# dependencies = ["ollama-haystack==7.0.2"]
# ///
from expected import model, ran, same, text_vectors, texts, url
from haystack_integrations.components.embedders.ollama import OllamaTextEmbedder

same([OllamaTextEmbedder(model=model, url=url).run(texts[0])["embedding"]], text_vectors[:1])
ran("OllamaTextEmbedder")
