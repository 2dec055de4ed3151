"""Streams of jobs over real processes: nothing is lost, repeated or changed, however often they break."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.local.stack import Stack
from tests.support.client import Client, other_key
from tests.support.restart import kill_web
from tests.support.sse import Follower, Frame, read_frames

UNICODE = 'a\nb\r\nc\rd\u2028\u2029\x85 data: x\n\nid: 9-9\n\n "\\" \0 \x7f 😀👩‍👩‍👧 e\u0301 عربي 汉字 \ufeff'
HEADERS = {"Accept": "text/event-stream"}


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)


def stream(client: Client, path: str, payload: object, **headers: str) -> Iterator[Frame]:
    with closing(client.post(path, json=payload, headers=headers, stream=True)) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-cache", "no")
        assert answer.headers["X-Job-ID"]
        yield from read_frames(answer)


@pytest.mark.parametrize(("path", "headers"), [("stream", {}), ("run", HEADERS)])
def test_an_agent_streams_its_events(client: Client, path: str, headers: dict[str, str]) -> None:
    first, *events = stream(client, f"/v1/agents/count/{path}", {"to": 5, "pause": 0.01}, **headers)
    assert first.retry == 2000
    assert [event.id for event in events] == [f"1-{seq}" for seq in range(len(events))]
    assert (events[0].event, events[-1].event) == ("started", "completed")
    assert "".join(each.json["content"] for each in events if each.event == "token") == "1 2 3 4 5 "
    assert [each.json["fraction"] for each in events if each.event == "progress"][-1] == 1


def test_an_agent_that_does_not_yield_streams_its_end(client: Client) -> None:
    events = [frame.event for frame in stream(client, "/v1/agents/echo/stream", {"text": "x"}) if frame.event]
    assert events == ["started", "completed"]


def test_json_is_what_is_answered_to_whoever_takes_anything(client: Client) -> None:
    answer = client.post("/v1/agents/echo/run", json={"text": "x"}, headers={"Accept": "*/*"})
    assert answer.json()["result"] == "x"


def test_bad_input_is_a_problem_and_not_a_stream(client: Client) -> None:
    answer = client.post("/v1/agents/count/stream", json={"to": "many"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert client.post("/v1/agents/count/stream", json={"to": 1}, headers={"X-On-Disconnect": "?"}).status_code == 400


def test_any_character_arrives_exact(client: Client) -> None:
    frames = list(stream(client, "/v1/agents/spell/stream", {"text": UNICODE}))
    assert "".join(frame.json["content"] for frame in frames if frame.event == "token") == UNICODE


def test_a_stream_resumes_behind_any_event_also_after_the_end(client: Client) -> None:
    job_id = client.submit("count", to=10, pause=0.01)
    whole = Follower(client, job_id)
    whole.connect()
    for place, last in enumerate(whole.events[:-1]):
        rest = Follower(client, job_id, events=[last])
        rest.connect()
        assert rest.events[1:] == whole.events[place + 1 :]
    nothing = whole.connect()
    assert (nothing.status_code, nothing.content) == (204, b"")
    assert nothing.headers["X-Job-ID"] == job_id
    by_query = client.get(f"/v1/jobs/{job_id}/events", params={"last_event_id": whole.ids[-2]})
    assert by_query.text.count("id:") == 1


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        *((each, 400, "invalid_event_id") for each in ("x", "1", "-1-1", "1-", f"1-{10**30}", "1-1\xe9")),
        ("9-9", 409, "unknown_event_id"),
    ],
)
def test_an_id_that_the_job_never_said_is_refused(client: Client, wrong: str, status: int, code: str) -> None:
    job_id = client.submit("echo", text="x")
    client.wait_for(job_id)
    answer = client.get(
        f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": wrong.encode("latin-1").decode("latin-1")}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_another_owners_stream_reads_404(stack: Stack, client: Client) -> None:
    job_id = client.submit("echo", text="x")
    answer = client.get(f"/v1/jobs/{job_id}/events", headers={"X-API-Key": other_key(stack)})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("headers", "status", "to"), [({}, "completed", 60), ({"X-On-Disconnect": "cancel"}, "canceled", 1000)]
)
def test_a_client_that_leaves_ends_its_job_only_when_it_said_so(
    client: Client, headers: dict[str, str], status: str, to: int
) -> None:
    payload = {"to": to, "pause": 0.05}
    with closing(client.post("/v1/agents/count/stream", json=payload, headers=headers, stream=True)) as answer:
        for frame in read_frames(answer):
            if frame.event == "token":
                break
    assert client.wait_for(answer.headers["X-Job-ID"])["status"] == status


def test_a_stream_cut_twenty_times_equals_the_uncut_one_also_when_the_web_is_killed(own_stack: Stack) -> None:
    client = Client(own_stack)
    job_id = client.submit("count", to=200, pause=0.02)
    follower, dice = Follower(client, job_id), random.Random(4)
    for cut in range(20):
        until = len(follower.events) + dice.randrange(1, 12)
        follower.connect(lambda until=until: len(follower.events) >= until)  # type: ignore[misc]
        if cut % 5 == 4:
            kill_web(own_stack)
    assert not follower.over
    follower.follow()
    uncut = Follower(client, job_id)
    uncut.connect()
    assert follower.connections > 20
    assert follower.events == uncut.events
    assert uncut.content == "".join(f"{number} " for number in range(1, 201))
    assert client.job(job_id)["attempts"] == 1


def test_a_drain_ends_streams_with_a_retry_and_they_go_on_elsewhere(own_stack: Stack) -> None:
    client = Client(own_stack)
    job_id = client.submit("count", to=100, pause=0.1)
    follower = Follower(client, job_id)
    with closing(client.get(f"/v1/jobs/{job_id}/events", stream=True)) as answer:
        frames: list[Frame] = []
        for frame in read_frames(answer):
            frames.append(frame)
            if len(frames) == 10:
                own_stack.processes["web"].send_signal(signal.SIGTERM)
    assert frames[0].retry == 2000
    assert frames[-1].retry is not None
    assert 2000 <= frames[-1].retry < 4000
    own_stack.processes.pop("web").wait(60)
    own_stack.spawn("web")
    own_stack.wait_until_ready()
    follower.events = [frame for frame in frames if frame.data is not None]
    follower.follow()
    assert follower.content == "".join(f"{number} " for number in range(1, 101))
