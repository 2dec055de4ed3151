"""A client that is cut off again and again, and resumes each time with the last id it has, at any web process."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from tasks.jobs import Engine, LocalArtifacts, NewJob, Status, connect
from tasks.jobs.attempts import Attempts, Draft, Ending
from tasks.jobs.environment import Secret
from tasks.jobs.settings import EngineSettings
from webapp.events.hub import EventHub

EVENTS = 4000
CUTS = 1000


def write(attempts: Attempts, job_id: str) -> None:
    """Say everything in two attempts, the second after the first was lost in the middle."""
    first = attempts.claim(job_id, "io")
    assert first is not None
    say(attempts, first, EVENTS // 2)
    attempts.lose(first.job, "gone")
    second = attempts.claim(job_id, "io")
    assert second is not None
    say(attempts, second, EVENTS)
    ending = Ending(Status.COMPLETED, {"usage": {}})
    attempts.write([(second, [Draft(EVENTS + 1, "completed", b'{"usage":{}}')], ending)])


def say(attempts: Attempts, claim: object, count: int) -> None:
    for seq in range(1, count + 1):
        attempts.write([(claim, [Draft(seq, "token", b'{"content":"%d "}' % seq)], None)])  # type: ignore[list-item]
        time.sleep(random.uniform(0, 0.002))


def test_a_thousand_cuts_lose_and_repeat_nothing(valkey_url: str, tmp_path: Path) -> None:
    settings = EngineSettings(redis_url=Secret(valkey_url), artifacts_dir=tmp_path)
    engines = [Engine(connect(settings), settings, LocalArtifacts(tmp_path)) for _ in range(2)]
    hubs = [EventHub(engine) for engine in engines]  # two web processes
    for hub in hubs:
        hub.start()
    job = engines[0].submit(NewJob(agent="echo", queue="io", owner="me", timeout=60, payload={}))
    writer = threading.Thread(target=write, args=(Attempts(connect(settings), settings, "worker/1"), job.id))
    writer.start()
    got: list[str] = []
    cuts = 0
    ended = False
    while not ended:
        with random.choice(hubs).attach(job.id, got[-1] if got else "") as subscription:
            for event, left in zip(subscription.events(60), range(random.randint(1, 6), 0, -1), strict=False):
                assert event is not None
                got.append(event.id)
                ended = event.terminal
                if ended or left == 1:
                    break
        cuts += not ended
    writer.join()
    for hub in hubs:
        hub.close()
    expected = [f"1-{seq}" for seq in range(EVENTS // 2 + 1)] + [f"2-{seq}" for seq in range(EVENTS + 2)]
    assert got == expected
    print(f"{cuts} cuts, {len(got)} events")
    assert cuts >= CUTS
