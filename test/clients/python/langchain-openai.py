# /// script
# requires-python = ">=3.10"
# dependencies = ["langchain-openai==1.7.4"]
# ///
from expected import key, model, ran, refused, same, text_vectors, texts, url
from langchain_openai import OpenAIEmbeddings

embeddings = OpenAIEmbeddings(model=model, base_url=f"{url}/v1", api_key=key, check_embedding_ctx_length=False)
same(embeddings.embed_documents(texts), text_vectors)
same([embeddings.embed_query(texts[0])], text_vectors[:1])
ran("embed_documents, embed_query with check_embedding_ctx_length=False")
