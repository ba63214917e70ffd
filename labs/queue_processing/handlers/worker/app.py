"""The worker that tells SQS which messages failed, so that only those come back."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from orders import ship

processor = BatchProcessor(event_type=EventType.SQS)


def ship_record(record):
    ship(record.json_body)


def handler(event, context):
    return process_partial_response(
        event=event, record_handler=ship_record, processor=processor, context=context
    )
