# /// script
# requires-python = ">=3.10"
# dependencies = ["llama-index-embeddings-openai-like==0.4.0"]
# ///
from expected import key, model, ran, same, text_vectors, texts, url
from llama_index.embeddings.openai_like import OpenAILikeEmbedding

embeddings = OpenAILikeEmbedding(model_name=model, api_base=f"{url}/v1", api_key=key)
same(embeddings.get_text_embedding_batch(texts), text_vectors)
ran("get_text_embedding_batch")
