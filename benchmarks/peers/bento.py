"""The same work on BentoML: `bentoml serve bento:Bench`."""

import os

import bentoml
from openai import AsyncOpenAI


@bentoml.service(traffic={"timeout": 120})
class Bench:
    def __init__(self) -> None:
        self.client = AsyncOpenAI(timeout=120)

    @bentoml.api
    def noop(self, text: str) -> dict:
        return {"result": text}

    @bentoml.api
    async def chat(self, message: str) -> dict:
        made = await self.client.chat.completions.create(
            model=os.environ["AI_MODEL"], messages=[{"role": "user", "content": message}]
        )
        return {"response": made.choices[0].message.content, "tokens_used": made.usage.total_tokens}
