# /// script
# requires-python = ">=3.10"
# dependencies = ["llama-index-embeddings-jinaai==0.7.0"]
# ///
from expected import key, picture_file, picture_vector, ran, same, text_vectors, texts, url
from llama_index.embeddings.jinaai import JinaEmbedding

embeddings = JinaEmbedding(model="jina-clip-v2", api_key=key)
# It takes no address.
embeddings._api.api_url = f"{url}/v1/embeddings"
same(embeddings.get_text_embedding_batch(texts), text_vectors)
same(embeddings.get_image_embedding_batch([picture_file]), [picture_vector])
ran("get_text_embedding_batch, get_image_embedding_batch")
