# /// script
# requires-python = ">=3.10"
# dependencies = ["llama-index-embeddings-ollama==0.10.0"]
# ///
from expected import model, ran, same, text_vectors, texts, url
from llama_index.embeddings.ollama import OllamaEmbedding

embeddings = OllamaEmbedding(model_name=model, base_url=url)
same(embeddings.get_text_embedding_batch(texts), text_vectors)
ran("get_text_embedding_batch")
