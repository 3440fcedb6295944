# /// script
# requires-python = ">=3.10"
# dependencies = ["langchain-community==0.4.2"]
# ///
from expected import data_uri, key, model, picture_file, picture_vector, ran, same, text_vectors, texts, url
from langchain_community.embeddings import jina

jina.JINA_API_URL = f"{url}/v1/embeddings"
embeddings = jina.JinaEmbeddings(jina_api_key=key, model_name=model)
same(embeddings.embed_documents(texts), text_vectors)
same(embeddings.embed_images([picture_file]), [picture_vector])
ran("JinaEmbeddings.embed_documents, embed_images")
