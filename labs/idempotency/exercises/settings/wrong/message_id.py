# expect: is not in the message
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

config = IdempotencyConfig(
    event_key_jmespath="messageId",
    payload_validation_jmespath="[amount, currency]",
    expires_after_seconds=14 * 24 * 3600,
)
