# /// script
# requires-python = ">=3.10"
# dependencies = ["requests==2.34.2", "pip==26.0"]
# ///
"""The client alone: its package installs PyTorch and faiss, for the backend whose place is taken here."""
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import requests
from expected import collection, picture_file, picture_vector, ran, texts, url

# of: clip-retrieval==2.45.0
subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "clip-retrieval==2.45.0"], check=True)
source = zipfile.ZipFile(next(Path(".").glob("clip_retrieval-*.whl"))).read("clip_retrieval/clip_client.py")
spec = importlib.util.spec_from_loader("clip_client", None)
clip_client = importlib.util.module_from_spec(spec)
sys.modules["clip_client"] = clip_client
exec(compile(source, "clip_client.py", "exec"), clip_client.__dict__)

client = clip_client.ClipClient(url=f"{url}/knn-service", indice_name=collection, num_images=10)
for found in (client.query(text=texts[0]), client.query(image=picture_file), client.query(embedding_input=picture_vector)):
    assert found[0]["caption"] == "a sunset" and found[0]["url"] == "https://example.com/sunset.png", found
assert found[0]["similarity"] > 0.99999 and isinstance(found[0]["id"], int), found
as_texts = clip_client.ClipClient(url=f"{url}/knn-service", indice_name=collection, modality=clip_client.Modality.TEXT)
assert as_texts.query(text=texts[0])[0]["caption"] == texts[0]
ran("ClipClient.query by text, picture and embedding, in pictures and in texts")
assert requests.get(f"{url}/indices-list").json() == ["default", collection]
told = requests.post(f"{url}/metadata", data=json.dumps({"ids": [found[0]["id"]], "indice_name": collection})).json()
assert told[0]["metadata"]["caption"] == "a sunset"
ran("indices-list, metadata")
assert "nothing" in clip_client.ClipClient(url=f"{url}/knn-service", indice_name="nothing").query(text="a")["message"]
ran("an unknown index")
