"""The tutorial's server as it is written: the synchronous SDK called inside of `async def`, so that one call runs."""

import json
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import OpenAI
from pydantic import BaseModel, Field

client = OpenAI(timeout=120)
app = FastAPI()


class Chat(BaseModel):
    message: str
    temperature: float = Field(0.7, ge=0, le=2)
    max_tokens: int = Field(1000, ge=1, le=4000)


@app.post("/chat")
async def chat(chat: Chat) -> dict[str, str | int]:
    answer = client.chat.completions.create(
        model=os.environ["AI_MODEL"],
        messages=[{"role": "user", "content": chat.message}],
        temperature=chat.temperature,
        max_tokens=chat.max_tokens,
    )
    return {"response": answer.choices[0].message.content or "", "tokens_used": answer.usage.total_tokens}


@app.post("/chat/stream")
async def chat_stream(chat: Chat) -> StreamingResponse:
    async def frames() -> AsyncIterator[str]:
        stream = client.chat.completions.create(
            model=os.environ["AI_MODEL"],
            messages=[{"role": "user", "content": chat.message}],
            temperature=chat.temperature,
            max_tokens=chat.max_tokens,
            stream=True,
        )
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                yield f"data: {json.dumps({'content': chunk.choices[0].delta.content})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(frames(), media_type="text/event-stream")
