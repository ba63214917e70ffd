# expect: charged twice
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

config = IdempotencyConfig(
    event_key_jmespath="@",
    payload_validation_jmespath="[amount, currency]",
    expires_after_seconds=14 * 24 * 3600,
)
