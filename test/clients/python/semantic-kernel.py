# /// script
# requires-python = ">=3.10"
# dependencies = ["semantic-kernel==1.45.0"]
# ///
import asyncio

from expected import key, model, ran, same, text_vectors, texts, url
from openai import AsyncOpenAI
from semantic_kernel.connectors.ai.open_ai import OpenAITextEmbedding

service = OpenAITextEmbedding(ai_model_id=model, async_client=AsyncOpenAI(base_url=f"{url}/v1", api_key=key))
same(asyncio.run(service.generate_embeddings(texts)), text_vectors)
ran("OpenAITextEmbedding.generate_embeddings")
