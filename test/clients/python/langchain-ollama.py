# /// script
# requires-python = ">=3.10"
# dependencies = ["langchain-ollama==1.1.0"]
# ///
from expected import model, ran, same, text_vectors, texts, url
from langchain_ollama import OllamaEmbeddings

embeddings = OllamaEmbeddings(model=model, base_url=url, validate_model_on_init=True)
same(embeddings.embed_documents(texts), text_vectors)
same([embeddings.embed_query(texts[0])], text_vectors[:1])
ran("embed_documents, embed_query, its check of the model")
