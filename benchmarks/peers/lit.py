"""The same work on LitServe: `python lit.py noop|chat PORT`."""

import os
import sys

import litserve
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


if __name__ == "__main__":
    api = Noop() if sys.argv[1] == "noop" else Chat(enable_async=True)
    server = litserve.LitServer(api, accelerator="cpu", timeout=120)
    server.run(port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
