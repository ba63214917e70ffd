"""The charger as it should be: Powertools' lease here, and an idempotency key for the provider."""

import os

from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent_function
from keys import key_for
from provider import charge
from settings import config

marks = DynamoDBPersistenceLayer(table_name=os.environ["MARKS_NAME"])


@idempotent_function(data_keyword_argument="payment", persistence_store=marks, config=config)
def pay(payment, record):
    return charge(payment, key=key_for(payment, record))


@event_source(data_class=SQSEvent)
def handler(event, context):
    config.register_lambda_context(context)
    for record in event.records:
        pay(payment=record.json_body, record=record.raw_event)
