# /// script
# requires-python = ">=3.10"
# dependencies = ["tei-client[http]==0.2.4"]
# ///
from expected import ran, same, text_vectors, texts, url
from tei_client import HTTPClient

client = HTTPClient(url)
same([each.tolist() if hasattr(each, "tolist") else each for each in client.encode(texts)], text_vectors)
ran("encode")
