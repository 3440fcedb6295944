# /// script
# requires-python = ">=3.10"
# dependencies = ["voyageai==0.5.0", "pillow==13.0.0"]
# ///
from expected import key, picture_file, picture_vector, ran, same, text_vectors, texts, url
from PIL import Image
from voyageai import Client

client = Client(api_key=key, base_url=f"{url}/v1")
same(client.embed(texts, model="voyage-multimodal-3", input_type="document").embeddings, text_vectors)
ran("embed")
found = client.multimodal_embed([[texts[0]], [Image.open(picture_file)]], model="voyage-multimodal-3").embeddings
same(found, [text_vectors[0], picture_vector])
ran("multimodal_embed")
assert client.rerank(texts[1], texts, model="voyage-multimodal-3", top_k=1).results[0].index == 1
ran("rerank")
