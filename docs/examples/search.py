import os

import requests

service = "http://127.0.0.1:8080"
headers = {"authorization": f"Bearer {os.environ.get('MIXSPACE_API_KEY', 'none')}"}

answer = requests.post(
    f"{service}/v1/collections/default/search",
    headers=headers,
    json={"query": "two dogs in the snow", "modality": "image", "cutoff": "auto", "limit": 5},
)
if not answer.ok:
    raise SystemExit(answer.json()["error"]["message"])

for match in answer.json()["matches"]:
    print(f"{match['score']:.3f}", (match["sources"] or [match["id"]])[0])
