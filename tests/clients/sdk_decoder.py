"""Read an answer of generation 1 with the decoder of the published SDK, as its users' notebooks do.

The SDK pins versions of a hundred packages, most of them for its notebooks and plots. Only its decoder is imported,
from the installed package as it is: it needs NumPy and pandas alone.
"""

import importlib.util
import json
import sys
from importlib.metadata import distribution

path = distribution("wallaroo").locate_file("wallaroo/_inference_decode.py")
spec = importlib.util.spec_from_file_location("inference_decode", str(path))
assert spec is not None
assert spec.loader is not None
decoder = importlib.util.module_from_spec(spec)
spec.loader.exec_module(decoder)

frame = decoder.inference_logs_to_dataframe(json.load(sys.stdin))
json.dump({"columns": list(frame.columns), "rows": json.loads(frame.to_json(orient="records"))}, sys.stdout)
