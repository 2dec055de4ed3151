"""Ask and infer with `tritonclient`, as its users do. Arguments: host and port, key, model. The rows come by stdin."""

import json
import sys

import numpy as np
import tritonclient.http as triton

ADDRESS, KEY, MODEL = sys.argv[1:]
headers = {"Authorization": f"Bearer {KEY}"}
client = triton.InferenceServerClient(ADDRESS)
rows = np.array(json.load(sys.stdin), dtype=np.float32)


def infer(binary: bool, outputs: list[str] | None = None) -> dict[str, list[float]]:
    """Send and receive in binary, or both as JSON; all outputs when none are named."""
    tensor = triton.InferInput("text_input", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in outputs] if outputs else None
    result = client.infer(MODEL, [tensor], outputs=wanted, headers=dict(headers), request_id="mine")  # it adds to them
    assert result.get_response()["id"] == "mine"
    names = [each["name"] for each in result.get_response()["outputs"]]
    return {name: result.as_numpy(name).ravel().tolist() for name in names}


def refused(model: str) -> list[str]:
    try:
        client.get_model_metadata(model, headers=headers)
    except triton.InferenceServerException as error:
        return [str(error.status()), error.message()]
    raise AssertionError(model)


metadata = client.get_model_metadata(MODEL, headers=headers)
names = [each["name"] for each in metadata["outputs"]]
said = {
    "live": client.is_server_live(headers=headers),
    "ready": client.is_server_ready(headers=headers),
    "model ready": client.is_model_ready(MODEL, headers=headers),
    "server": client.get_server_metadata(headers=headers),
    "model": metadata,
    "binary": infer(True),
    "json": infer(False, names),
    "named": infer(True, ["main"]),
    "refused": refused("nobodys"),
}
json.dump(said, sys.stdout)
