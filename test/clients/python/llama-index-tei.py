# /// script
# requires-python = ">=3.10"
# dependencies = ["llama-index-embeddings-text-embeddings-inference==0.6.0"]
# ///
from expected import key, model, ran, same, text_vectors, texts, url
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference

embeddings = TextEmbeddingsInference(model_name=model, base_url=url, auth_token=f"Bearer {key}", text_instruction="", query_instruction="")
same(embeddings.get_text_embedding_batch(texts), text_vectors)
same([embeddings.get_query_embedding(texts[0])], text_vectors[:1])
ran("get_text_embedding_batch, get_query_embedding")
