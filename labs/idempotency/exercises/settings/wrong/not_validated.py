# expect: without a word
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

config = IdempotencyConfig(
    event_key_jmespath="paymentId",
    payload_validation_jmespath="",
    expires_after_seconds=14 * 24 * 3600,
)
