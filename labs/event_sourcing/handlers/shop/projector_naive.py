"""Adds up what comes from the stream, as most tutorials do."""

import os

import boto3
from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent, event_source
from stock import change

view = boto3.resource("dynamodb").Table(os.environ["VIEW_NAME"])


@event_source(data_class=DynamoDBStreamEvent)
def handler(event, context):
    for record in event.records:
        fact = record.dynamodb.new_image
        view.update_item(
            Key={"lot": fact["lot"]},
            UpdateExpression="ADD available :change",
            ExpressionAttributeValues={":change": change(fact)},
        )
