"""A team that reads its own queue, and tells SQS which orders failed."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from work import work

processor = BatchProcessor(event_type=EventType.SQS)


def work_on_record(record):
    work(record.json_body)


def handler(event, context):
    return process_partial_response(
        event=event, record_handler=work_on_record, processor=processor, context=context
    )
