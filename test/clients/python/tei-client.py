# /// script
# requires-python = ">=3.10"
# dependencies = ["tei-client[http]==0.2.4"]
# ///
from expected import ran, same, text_vectors, texts, url
from tei_client import HttpClient

client = HttpClient(url)
same(client.embed(texts), text_vectors)
assert client.info().max_input_length > 0
ran("embed, info")
