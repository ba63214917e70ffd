from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig

# A message: {"paymentId": "payment-001", "amount": "42.00", "currency": "EUR", "card": "good"}
config = IdempotencyConfig(
    event_key_jmespath="paymentId",  # two messages with the same value are one payment
    payload_validation_jmespath="[amount, currency]",  # and may not differ in this
    expires_after_seconds=14 * 24 * 3600,  # a copy that comes later than this is charged again
)
