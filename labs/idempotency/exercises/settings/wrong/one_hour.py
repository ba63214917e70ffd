# expect: 13 days
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

config = IdempotencyConfig(
    event_key_jmespath="paymentId",
    payload_validation_jmespath="[amount, currency]",
    expires_after_seconds=3600,
)
