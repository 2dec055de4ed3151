"""The same work on LitServe: `python lit.py noop|chat|batches PORT`."""

import os
import sys

import litserve
import numpy
import onnxruntime
from openai import AsyncOpenAI


class Noop(litserve.LitAPI):
    def setup(self, device):
        pass

    def predict(self, request):
        return {"result": request["text"]}


class Chat(litserve.LitAPI):
    def setup(self, device):
        self.client = AsyncOpenAI(timeout=120)

    async def decode_request(self, request):
        return request["message"]

    async def predict(self, message):
        made = await self.client.chat.completions.create(
            model=os.environ["AI_MODEL"], messages=[{"role": "user", "content": message}]
        )
        return {"response": made.choices[0].message.content, "tokens_used": made.usage.total_tokens}

    async def encode_response(self, answer):
        return answer


class Batches(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)

    def decode_request(self, request):
        return numpy.array(request["text_input"][0], dtype=numpy.float32)

    def predict(self, rows):
        return self.session.run(["main"], {"text_input": rows})[0]

    def encode_response(self, main):
        return {"main": main.tolist()}


def made(kind):
    if kind == "batches":
        size, delay = os.environ["BATCH"].split()
        return Batches(max_batch_size=int(size), batch_timeout=float(delay))
    return Noop() if kind == "noop" else Chat(enable_async=True)


if __name__ == "__main__":
    server = litserve.LitServer(made(sys.argv[1]), accelerator="cpu", timeout=120)
    server.run(port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
