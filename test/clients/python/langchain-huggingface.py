# /// script
# requires-python = ">=3.10"
# dependencies = ["langchain-huggingface==1.2.3", "numpy==2.3.5"]
# ///
from expected import key, ran, same, text_vectors, texts, url
from huggingface_hub import InferenceClient
from langchain_huggingface import HuggingFaceEndpointEmbeddings

# It takes no address itself since 1.2.
embeddings = HuggingFaceEndpointEmbeddings(model="sentence-transformers/all-mpnet-base-v2", huggingfacehub_api_token=key)
embeddings.client = InferenceClient(model=url, token=key)
same(embeddings.embed_documents(texts), text_vectors)
same([embeddings.embed_query(texts[1])], text_vectors[1:])
ran("embed_documents, embed_query over the TEI routes")
