# /// script
# requires-python = ">=3.10"
# dependencies = ["pydantic-ai-slim[openai]==2.68.0"]
# ///
import asyncio

from expected import key, model, ran, same, text_vectors, texts, url
from pydantic_ai import Embedder
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.providers.openai import OpenAIProvider

embedder = Embedder(OpenAIEmbeddingModel(model, provider=OpenAIProvider(base_url=f"{url}/v1", api_key=key)))
same(asyncio.run(embedder.embed_documents(texts)).embeddings, text_vectors)
ran("Embedder.embed_documents")
