"""Amazon SNS, answered natively: topics, subscriptions, publishing, delivery.

Refused by name: archives and replay, data protection, mobile push (application endpoints), Firehose
subscriptions and SMS. A subscription by e-mail stays pending, and what it would get is noted in the journal.
https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ...service import Call, ServiceError
from ..http import HttpRequest, HttpResponse
from . import errors
from .publishing import Publishing

if TYPE_CHECKING:
    from ...world import World


class Sns(Publishing):
    """The service ``sns``."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        world.identity.policy_readers["sns"] = self.policy

    def CreateTopic(self, call: Call) -> dict[str, Any]:
        self.world.http.register(f"sns.{call.region}.amazonaws.com", self.answer)
        return super().CreateTopic(call)

    def answer(self, request: HttpRequest) -> HttpResponse:
        """A request to SNS's own host: the SubscribeURL and UnsubscribeURL of messages."""
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        action = query.get("Action", "")
        try:
            if action == "ConfirmSubscription":
                arn = query.get("TopicArn", "")
                if arn not in self.topics or f"//sns.{arn.split(':')[3]}." not in request.url:
                    raise errors.invalid("Topic")
                confirmed = self.confirm(arn, query.get("Token", ""), authenticated=False)
                result = f"<SubscriptionArn>{confirmed}</SubscriptionArn>"
            elif action == "Unsubscribe":
                self.unsubscribe(query.get("SubscriptionArn", ""))
                result = ""
            else:
                raise errors.error("InvalidAction", f"The action {action} is not valid for this endpoint.")
        except ServiceError as error:
            shown = f"<Type>Sender</Type><Code>{error.code}</Code><Message>{error.message}</Message>"
            return HttpResponse(error.status, f"<ErrorResponse><Error>{shown}</Error></ErrorResponse>")
        return HttpResponse(
            200, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"
        )
