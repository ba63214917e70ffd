import os
from decimal import Decimal

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
logger = Logger()
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def record_handler(record: SQSRecord):
    order = record.json_body
    tenant = record.message_attributes["tenant"].string_value
    logger.info("order", order_id=order["orderId"])
    if order["total"] > 1000:
        raise ValueError("too much")
    table.put_item(Item={**order, "total": Decimal(str(order["total"])), "tenant": tenant})


def handler(event, context):
    return process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
