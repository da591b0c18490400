"""Every metric of the platform, in one list. Labels are names of services, topics and kinds: never an id, never a person."""

from prometheus_client import Counter, Gauge, Histogram

_SMALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

CONSUMED = Counter("aiguilleur_consumed_total", "Inputs by outcome: done, duplicate, parked, failed.", ["service", "outcome"])
GAPS = Counter("aiguilleur_gaps_total", "Events that came before their predecessor: something is missing or late.", ["service"])
PARKED = Counter("aiguilleur_parked_total", "Records put aside, by reason.", ["service", "why"])
HALTED = Gauge("aiguilleur_halted", "1 when the consumer stopped itself because too much was parked.", ["service"])
LOG_AHEAD = Gauge(
    "aiguilleur_log_ahead", "1 when the log holds what the database does not know: it was restored; see /ready.", ["service"]
)
LAG = Gauge("aiguilleur_lag_records", "Records of the log not yet taken, all partitions together.", ["service"])
OUTBOX_OLDEST = Gauge("aiguilleur_outbox_oldest_seconds", "Age of the oldest record waiting to be published.", ["service"])
OUTBOX_PENDING = Gauge("aiguilleur_outbox_pending_records", "Records waiting to be published.", ["service"])
PUBLISHED = Counter("aiguilleur_published_total", "Records that Kafka acknowledged.", ["service"])
PUBLISH_ERRORS = Counter("aiguilleur_publish_errors_total", "Sends that failed; each one replaces the producer.", ["service"])
RELAY_FAILING = Gauge("aiguilleur_relay_failing", "1 while events cannot be published; /ready names the error.", ["service"])
BATCH = Histogram("aiguilleur_batch_records", "Inputs per transaction.", ["service", "lane"], buckets=_SIZES)
BATCH_SECONDS = Histogram("aiguilleur_batch_seconds", "Time of one transaction.", ["service", "lane"], buckets=_SMALL_SECONDS)
STEP_SECONDS = Histogram(
    "aiguilleur_step_seconds", "Time that the pure core took for one batch.", ["service"], buckets=_SMALL_SECONDS
)
TURNED_AWAY = Counter("aiguilleur_turned_away_total", "Posts told to come back later, as too many waited.", ["service"])
CONFLICTS = Counter("aiguilleur_conflicts_total", "Batches run again because another transaction came first.", ["service"])
UNAVAILABLE = Counter("aiguilleur_unavailable_total", "Times that PostgreSQL or Kafka did not answer.", ["service", "what"])
LATE = Histogram("aiguilleur_deadline_late_seconds", "How late a due row was acted upon.", ["service"], buckets=_SMALL_SECONDS)
MAILS = Counter(
    "aiguilleur_mails_total",
    "Mails by outcome (sent, retried, failed) and cause: server (it said so), letter (nobody to send it to), fault (ours).",
    ["outcome", "cause"],
)
