"""What SNS says to an HTTP endpoint: notifications, and the question whether it wants them.

https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
"""

from __future__ import annotations

from ...kernel import SECOND
from ...service import Caller
from ..http import HttpRequest, Unreachable
from .envelopes import confirmation
from .retries import http_delay, is_retried_status
from .subscriptions import Subscriptions
from .topic import Subscription

HTTP_TIMEOUT = 15 * SECOND
"""https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html"""

Failure = tuple[str, bool]
"""An error code, and whether it is worth another attempt."""


class Endpoints(Subscriptions):
    """Requests to the endpoints of subscriptions, from inside a task."""

    def post(
        self, subscription: Subscription, kind: str, identifier: str, body: str, trace: str
    ) -> Failure | None:
        """One request. https://docs.aws.amazon.com/sns/latest/dg/http-header.html"""
        policy = subscription.delivery_policy()
        headers = {
            "x-amz-sns-message-type": kind,
            "x-amz-sns-message-id": identifier,
            "x-amz-sns-topic-arn": subscription.topic.arn,
        }
        if kind != "SubscriptionConfirmation":
            headers["x-amz-sns-subscription-arn"] = subscription.arn
        if kind == "Notification" and subscription.raw:
            headers["x-amz-sns-rawdelivery"] = "true"
        content_type = "text/plain; charset=UTF-8"
        if kind == "Notification":
            content_type = policy["requestPolicy"].get("headerContentType", content_type)
        headers |= {
            "Content-Type": content_type,
            "User-Agent": "Amazon Simple Notification Service Agent",
            "Accept-Encoding": "gzip,deflate",
        }
        started = self.kernel.now
        try:
            response = self.world.http.send(
                HttpRequest("POST", subscription.endpoint, headers, body), actor="sns", trace=trace
            )
        except Unreachable:
            return "unreachable", True
        if self.kernel.now - started > HTTP_TIMEOUT:
            return "timeout", True
        if 200 <= response.status < 300:
            return None
        return str(response.status), is_retried_status(response.status)

    def ask_to_confirm(self, subscription: Subscription, unsubscribed: bool = False) -> None:
        identifier, topic = self.new_id(), subscription.topic
        kind = "UnsubscribeConfirmation" if unsubscribed else "SubscriptionConfirmation"
        body = confirmation(
            topic,
            identifier,
            self.kernel.now,
            subscription.token,
            subscription.arn if unsubscribed else None,
        )

        def ask() -> None:
            attempts = 0
            policy = subscription.delivery_policy()["healthyRetryPolicy"]
            self.kernel.sleep(self.world.latency.sample("sns.delivery"))
            while True:
                failure = self.post(subscription, kind, identifier, body, "")
                attempts += 1
                delay = http_delay(attempts, policy) if failure is not None and failure[1] else None
                if delay is None:
                    return
                self.kernel.sleep(delay)

        self.kernel.spawn(ask, name="sns.confirmation", context=Caller("service", "sns"))
