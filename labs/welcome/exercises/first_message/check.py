"""Deploys the stack of the lesson under a name of its own, lets the answer send, and reads the function's log."""

from infra.stacks.welcome import Welcome
from labs.toolkit import Answer, Wrong


def check(answer: Answer, cloud):
    app = cloud.deploy(Welcome, stack_name="FirstMessageExercise")
    try:
        answer.call("send", cloud.client("sqs"), app["LettersUrl"])
        sent = cloud.elapsed
        cloud.sleep(30)
        early = _greetings(cloud, app)
        cloud.sleep(45)
        greetings = _greetings(cloud, app)
        if early:
            raise Wrong(
                f"the function had your message after {early[0][0] - sent:.0f} s; expected about 60 s"
            )
        if not greetings:
            raise Wrong(_why_nothing(cloud, app))
        return f"after {greetings[0][0] - sent:.0f} s the function wrote {greetings[0][1]!r} to its log"
    finally:
        cloud.destroy(app)


def _greetings(cloud, app):
    """(second, text) of every greeting in the function's log."""
    events = cloud.client("logs").filter_log_events(
        logGroupName=_log_group(cloud, app), filterPattern='"Hello," -"[ERROR]"'
    )["events"]
    now, elapsed = cloud.now.timestamp(), cloud.elapsed
    return [(event["timestamp"] / 1000 - now + elapsed, event["message"].strip()) for event in events]


def _log_group(cloud, app):
    function = cloud.client("lambda").get_function_configuration(FunctionName=app["GreeterName"])
    return function["LoggingConfig"]["LogGroup"]


def _why_nothing(cloud, app):
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=app["LettersUrl"], AttributeNames=["All"])
    counts = attributes["Attributes"]
    if int(counts["ApproximateNumberOfMessagesDelayed"]):
        return "your message is still delayed after 75 s; expected DelaySeconds to be 60"
    if int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"]):
        lines = [line for line in cloud.logs(app["GreeterName"]) if "Error" in line]
        reason = lines[0].strip().splitlines()[0] if lines else "no greeting was written"
        return f"the function got your message and failed on it: {reason}"
    return "no message arrived in the queue; expected `send` to call sqs.send_message"
