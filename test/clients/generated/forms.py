"""What the generated client does beside JSON: forms with files, bytes, errors; each looked at."""
import io, os, pathlib, sys
from mixspace_api import AuthenticatedClient, Client
from mixspace_api.api.items import add_items, item_image, list_items
from mixspace_api.api.search import search
from mixspace_api.models import AddItemsFilesBody, Error, SearchFilesBody, SearchRequest
from mixspace_api.types import File

client = Client(os.environ["MIXSPACE_URL"])
house = pathlib.Path(sys.argv[1], "house.png").read_bytes()

added = add_items.sync("default", client=client, body=AddItemsFilesBody(file=[File(io.BytesIO(house), "again.png", "image/png")], metadata='[{"id": "again", "metadata": {"year": 2026}}]'))
assert [(each.id, each.status.value) for each in added.items] == [("again", "created")], added
found = search.sync("default", client=client, body=SearchFilesBody(file=File(io.BytesIO(house), "house.png", "image/png"), request=SearchRequest.from_dict({"limit": 2})))
assert {match.id for match in found.matches} == {"house", "again"} and abs(found.matches[0].score - 1) < 1e-5, found
assert [item.id for item in list_items.sync("default", client=client, filter_='{"year": 2026}', limit=1).items] == ["again"]
assert item_image.sync_detailed("default", "again", client=client).content[:4] == b"RIFF"
refused = search.sync("nowhere", client=client, body=SearchRequest.from_dict({"query": "x"}))
assert isinstance(refused, Error) and refused.error.code == "not_found", refused
assert AuthenticatedClient(os.environ["MIXSPACE_URL"], token="any").get_httpx_client().headers["Authorization"] == "Bearer any"
print("forms, bytes, filters and errors: right")
