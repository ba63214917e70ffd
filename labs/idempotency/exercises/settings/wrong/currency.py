# expect: never charged
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

config = IdempotencyConfig(
    event_key_jmespath="currency",
    payload_validation_jmespath="amount",
    expires_after_seconds=14 * 24 * 3600,
)
