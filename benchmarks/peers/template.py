"""The usual template: Flask in front, Celery's prefork workers behind, results by `AsyncResult.get()`.

gunicorn template:app          celery --app template:celery worker
"""

import os

from celery import Celery
from flask import Flask, jsonify, request
from openai import OpenAI

celery = Celery("template", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app = Flask("template")


@celery.task
def noop(text):
    return text


@celery.task
def answer(message):
    made = OpenAI(timeout=120).chat.completions.create(
        model=os.environ["AI_MODEL"], messages=[{"role": "user", "content": message}]
    )
    return {"response": made.choices[0].message.content, "tokens_used": made.usage.total_tokens}


@app.post("/run")
def run():
    result = noop.delay(request.get_json()["text"])
    return jsonify(id=result.id, result=result.get(timeout=60))


@app.post("/task")
def task():
    return jsonify(id=noop.delay(request.get_json()["text"]).id), 202


@app.post("/chat")
def chat():
    return jsonify(answer.delay(request.get_json()["message"]).get(timeout=120))
