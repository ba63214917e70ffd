from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs


class Fraud(Stack):
    def __init__(self, scope, name, *, topic_arn, **kwargs):
        super().__init__(scope, name, **kwargs)
        topic = sns.Topic.from_topic_arn(self, "Orders", topic_arn)
        queue = sqs.Queue(self, "FraudQueue", enforce_ssl=True)
        topic.add_subscription(subscriptions.SqsSubscription(queue, raw_message_delivery=True))
        CfnOutput(self, "QueueUrl", value=queue.queue_url)
