"""Applies each event once and in its order, whatever the stream repeats or leaves out."""

from apply import apply
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from store import load
from view import OutOfOrder, version_of

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


def project(record):
    fact = record.dynamodb.new_image
    try:
        apply(fact)
    except OutOfOrder:
        # Seen already: nothing comes after it. A gap: what is missing is in the store.
        for missing in load(fact["lot"], after=version_of(fact["lot"])):
            apply(missing)


def handler(event, context):
    return process_partial_response(event=event, record_handler=project, processor=processor, context=context)
