"""What the tutorial does: a token, the workspace, the pipeline's URL, an inference. The answer goes to standard output.

Arguments: the API's URL, the token URL, and a file with the input. Names and secrets come from the environment.
"""

import json
import os
import sys

import requests

APIURL, TOKENURL, INPUT = sys.argv[1:]
WORKSPACE, PIPELINE = "urldemoworkspace", "urldemopipeline"

# Fetch the token.
data = {"username": os.environ["USERNAME"], "password": os.environ["PASSWORD"], "grant_type": "password"}
client = (os.environ["CLIENT"], os.environ["SECRET"])
response = requests.post(TOKENURL, data=data, auth=client, timeout=30)
response.raise_for_status()
headers = {"Authorization": f"Bearer {response.json()['access_token']}"}

# Find the workspace by its name.
response = requests.post(f"{APIURL}/v1/api/workspaces/list", json={}, headers=headers, timeout=30)
response.raise_for_status()
workspace_id = next(each["id"] for each in response.json()["workspaces"] if each["name"] == WORKSPACE)

# Ask where the pipeline is reached.
wanted = {"workspace_id": workspace_id, "pipeline_name": PIPELINE}
response = requests.post(f"{APIURL}/v1/api/admin/get_pipeline_external_url", json=wanted, headers=headers, timeout=30)
response.raise_for_status()
external_url = response.json()["url"]

# Infer.
with open(INPUT) as file:
    response = requests.post(external_url, json=json.load(file), headers=headers, timeout=60)
response.raise_for_status()
json.dump({"url": external_url, "results": response.json()}, sys.stdout)
