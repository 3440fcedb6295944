import base64
import sys

import requests

pictures = [{"image": base64.b64encode(open(name, "rb").read()).decode()} for name in sys.argv[1:]]
answer = requests.post(
    "http://127.0.0.1:8080/v1/classify",
    json={"input": pictures, "labels": ["dog", "cat", "horse"], "abstain": "auto"},
)
answer.raise_for_status()

for name, each in zip(sys.argv[1:], answer.json()["data"]):
    print(name, each["prediction"] or "none of these", f"{each['score']:.2f}")
