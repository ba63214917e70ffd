"""The charger as it should be: Powertools' lease, and the provider's own idempotency key."""

import os

from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from provider import charge

marks = DynamoDBPersistenceLayer(table_name=os.environ["MARKS_NAME"])
config = IdempotencyConfig(
    event_key_jmespath="paymentId",
    payload_validation_jmespath="[amount, currency]",
    expires_after_seconds=14 * 24 * 3600,
)


@idempotent_function(data_keyword_argument="payment", persistence_store=marks, config=config)
def pay(payment):
    return charge(payment, key=payment["paymentId"])


@event_source(data_class=SQSEvent)
def handler(event, context):
    config.register_lambda_context(context)
    for record in event.records:
        pay(payment=record.json_body)
