# /// script
# requires-python = ">=3.10"
# dependencies = ["chromadb==1.5.9", "openai==3.57.0", "ollama==0.6.3", "pillow==13.0.0"]
# ///
from chromadb import EphemeralClient
from chromadb.utils.embedding_functions import JinaEmbeddingFunction, OllamaEmbeddingFunction, OpenAIEmbeddingFunction
from expected import key, model, ran, same, text_vectors, texts, url

by_openai = OpenAIEmbeddingFunction(api_key=key, api_base=f"{url}/v1", model_name=model)
same(by_openai(texts), text_vectors)
same(OllamaEmbeddingFunction(url=url, model_name=model)(texts), text_vectors)
ran("its functions for OpenAI and Ollama")
by_jina = JinaEmbeddingFunction(api_key=key, model_name="jina-clip-v2")
# It takes no address.
by_jina._api_url = f"{url}/v1/embeddings"
same(by_jina(texts), text_vectors)
ran("its function for Jina")
collection = EphemeralClient().create_collection("texts", embedding_function=by_openai)
collection.add(ids=["a", "b"], documents=texts)
assert collection.query(query_texts=[texts[1]], n_results=1)["ids"] == [["b"]]
ran("a collection")
