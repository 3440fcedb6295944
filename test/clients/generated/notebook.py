# A DataFrame of pictures in, a DataFrame of matches out; in a notebook, cell by cell.
import base64, os, pathlib, sys
import pandas as pd
from mixspace_api import Client
from mixspace_api.api.items import add_items
from mixspace_api.api.search import search
from mixspace_api.models import ItemsRequest, SearchRequest

client = Client(os.environ.get("MIXSPACE_URL", "http://127.0.0.1:8080"))
pictures = pd.DataFrame({"file": sorted(pathlib.Path(sys.argv[1]).glob("*.png"))})
pictures["id"] = [file.stem for file in pictures["file"]]
pictures["image"] = [base64.b64encode(file.read_bytes()).decode() for file in pictures["file"]]
body = ItemsRequest.from_dict({"items": pictures[["id", "image"]].to_dict("records")})
outcomes = pd.DataFrame(add_items.sync("default", client=client, body=body).to_dict()["items"])
request = SearchRequest.from_dict({"query": "a house with a red roof", "limit": 3})
matches = pd.DataFrame(search.sync("default", client=client, body=request).to_dict()["matches"])
print(outcomes, matches[["id", "score", "width", "height"]], sep="\n\n")
