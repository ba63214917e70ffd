"""The charger with Powertools: a lease before the charge, the result after it, and the result for copies."""

import os

from aws_lambda_powertools.utilities.data_classes import SQSEvent, event_source
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent_function
from provider import charge
from settings import config

marks = DynamoDBPersistenceLayer(table_name=os.environ["MARKS_NAME"])


@idempotent_function(data_keyword_argument="payment", persistence_store=marks, config=config)
def pay(payment):
    return charge(payment)


@event_source(data_class=SQSEvent)
def handler(event, context):
    config.register_lambda_context(context)  # so that the lease ends when this invocation must
    for record in event.records:
        pay(payment=record.json_body)
