"""Every metric there is. docs/metrics.md is made from this list."""

from tasks.metrics.metric import Counter, Gauge, Histogram, Reading

# From a cached answer to a long job that is waited for (seconds).
ANSWERS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# From a job that computes nothing to one that takes ten minutes.
WORK = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

AGENT = ("agent", "queue")

# The web side.
HTTP_REQUESTS = Counter("http_requests_total", "Requests that are over.", ("route", "method", "status"))
HTTP_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time to the end of an answer, of a stream to the stream's end.",
    ("route",),
    ANSWERS,
)
RATE_REFUSALS = Counter("rate_limited_total", "Requests that were sent away, by the limit that they met.", ("limit",))
JOBS_SUBMITTED = Counter("jobs_submitted_total", "Jobs that were accepted.", AGENT)
JOBS_REFUSED = Counter("jobs_refused_total", "Jobs that were not accepted, by the limit that was reached.", ("limit",))
HUB_CONNECTIONS = Gauge("hub_connections", "Connections of web processes over which they hear of jobs; one a process.")
HUB_SUBSCRIPTIONS = Gauge("hub_subscriptions", "Requests, streams and sockets that wait for a job.")
HUB_DISCONNECTS = Counter("hub_disconnects_total", "Times that a web process lost its connection to the events.")
STREAMS_OPEN = Gauge("streams_open", "Server-sent event streams that are open.")
SOCKETS_OPEN = Gauge("websockets_open", "WebSockets that are open.")

# Jobs.
JOBS_ENDED = Counter("jobs_ended_total", "Jobs that ended, by how.", (*AGENT, "status"))
JOBS_LOST = Counter("jobs_lost_total", "Attempts whose worker died or was cut off.", AGENT)
JOBS_HANDED_BACK = Counter("jobs_handed_back_total", "Attempts that were given back: a drain, or a retry.", AGENT)
JOB_WAIT = Histogram("job_wait_seconds", "Time from a job's acceptance to its first start.", AGENT, WORK)
JOB_SECONDS = Histogram("job_duration_seconds", "Time that one attempt at a job took.", AGENT, WORK)
FIRST_TOKEN = Histogram("time_to_first_token_seconds", "Time from a job's acceptance to its first token.", AGENT, WORK)
TOKENS = Counter("tokens_total", "Tokens that were read and written, by kind (prompt, completion).", ("agent", "kind"))
ARTIFACTS = Counter("artifacts_total", "Files that jobs made.", ("agent",))
ARTIFACT_BYTES = Counter("artifact_bytes_total", "Bytes of the files that jobs made.", ("agent",))

# The model server.
PROVIDER_REQUESTS = Counter("provider_requests_total", "Requests to the model server, without their retries.")
PROVIDER_FAILURES = Counter(
    "provider_failures_total", "Requests to the model server that failed for good.", ("reason",)
)
PROVIDER_RETRIES = Counter("provider_retries_total", "Requests to the model server that were sent again.", ("reason",))
PROVIDER_SECONDS = Histogram(
    "provider_answer_seconds", "Time until the model server began to answer, with its retries.", (), WORK
)

# What looks after the jobs.
KEEPER_ACTIONS = Counter(
    "keeper_actions_total",
    "What the keeper did: took_back (jobs), resent (messages), removed_file, removed_job.",
    ("action",),
)
WEBHOOKS = Counter("webhook_deliveries_total", "Tries at webhooks: delivered, postponed, given_up.", ("outcome",))

# Read from Redis: every web process and every worker says the same, so take the `max` and never the `sum`.
REDIS_UP = Reading("redis_up", "Whether Redis answered when it was asked for the readings below.")
JOBS_WAITING = Reading("jobs_waiting", "Jobs that wait.", ("queue",))
JOBS_RUNNING = Reading("jobs_running", "Jobs that run.", ("queue",))
QUEUE_LOAD = Reading("queue_load", "Jobs that wait or run: what to scale workers on.", ("queue",))
OLDEST_WAITING = Reading("oldest_waiting_seconds", "How long the oldest waiting job waits; 0 without one.", ("queue",))
QUEUE_MESSAGES = Reading("queue_messages", "Messages in the Celery queue.", ("queue",))
WORKERS = Reading("workers", "Workers that were heard of within the last seconds.", ("queue",))
DEAD_JOBS = Reading("dead_jobs", "Jobs that were given up and are kept for inspection.")
WEBHOOKS_WAITING = Reading("webhooks_waiting", "Webhooks that are still to be delivered.")
