from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord

processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
metrics = Metrics()


def one(record: KinesisStreamRecord):
    click = record.kinesis.data_as_json()
    metrics.add_metric(name="Latency", unit=MetricUnit.Milliseconds, value=click["ms"])
    with single_metric(name="Clicks", unit=MetricUnit.Count, value=1) as metric:
        metric.add_dimension(name="page", value=click["page"])


@metrics.log_metrics
def handler(event, context):
    return process_partial_response(event=event, record_handler=one, processor=processor, context=context)
