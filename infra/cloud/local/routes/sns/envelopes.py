"""What a subscriber gets: SNS's JSON for queues and HTTP endpoints, the event for Lambda.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html (the JSON and its spaces),
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html (the event). Key order, ``SequenceNumber`` and that
a FIFO topic signs nothing are recorded from AWS (LocalStack's test_sns).

The signature is a placeholder: the same for every message, verifiable by nobody. The text of a message is
built once; what differs between its subscriptions (the unsubscribe URL, the event's ARN) is put between.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .topic import Topic

_text = json.JSONEncoder(ensure_ascii=False).encode
_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)

SIGNATURE = base64.b64encode(hashlib.sha512(b"a placeholder, not a signature").digest() * 4).decode()


class Message:
    """A published message. ``variants`` are the texts by protocol (MessageStructure json)."""

    __slots__ = (
        "_texts",
        "attributes",
        "dedup_id",
        "group_id",
        "id",
        "published",
        "sequence",
        "size",
        "subject",
        "text",
        "variants",
    )

    def __init__(
        self,
        identifier: str,
        text: str,
        size: int,
        published: int,
        subject: str | None,
        attributes: Mapping[str, Any],
        variants: Mapping[str, str],
        group_id: str,
    ) -> None:
        self.id = identifier
        self.text = text
        self.size = size
        self.published = published
        self.subject = subject
        self.attributes = attributes
        self.variants = variants
        self.group_id = group_id
        self.dedup_id = ""
        self.sequence = ""
        self._texts: dict[tuple[str, str], tuple[str, str]] = {}

    def text_for(self, protocol: str) -> str:
        return self.variants.get(protocol, self.text) if self.variants else self.text

    def envelope(self, topic: Topic, protocol: str, subscription_arn: str) -> str:
        """The JSON for a queue or an HTTP endpoint."""
        text = self.text_for(protocol)
        parts = self._texts.get(("json", text))
        if parts is None:
            parts = self._texts["json", text] = self._json(topic, text)
        return f"{parts[0]}{subscription_arn}{parts[1]}"

    def event(self, topic: Topic, subscription_arn: str) -> str:
        """The event for a function."""
        text = self.text_for("lambda")
        parts = self._texts.get(("event", text))
        if parts is None:
            parts = self._texts["event", text] = self._event(topic, text)
        return (
            '{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"'
            f"{subscription_arn}{parts[0]}{subscription_arn}{parts[1]}"
        )

    def _json(self, topic: Topic, text: str) -> tuple[str, str]:
        lines = [f'{{\n  "Type" : "Notification",\n  "MessageId" : "{self.id}",\n']
        if self.sequence:
            lines.append(f'  "SequenceNumber" : "{self.sequence}",\n')
        lines.append(f'  "TopicArn" : "{topic.arn}",\n')
        if self.subject is not None:
            lines.append(f'  "Subject" : {_text(self.subject)},\n')
        lines.append(f'  "Message" : {_text(text)},\n  "Timestamp" : "{timestamp(self.published)}",\n')
        if not self.sequence:
            version = topic.signature_version
            lines.append(
                f'  "SignatureVersion" : "{version}",\n  "Signature" : "{SIGNATURE}",\n'
                f'  "SigningCertURL" : "{topic.certificate}",\n'
            )
        lines.append(f'  "UnsubscribeURL" : "{topic.endpoint}/?Action=Unsubscribe&SubscriptionArn=')
        tail = '"\n}'
        if self.attributes:
            shown = ",\n".join(
                f'    {_text(name)} : {{"Type":{_text(kind)},"Value":{_text(value)}}}'
                for name, kind, value in plain(self.attributes)
            )
            tail = f'",\n  "MessageAttributes" : {{\n{shown}\n  }}\n}}'
        return "".join(lines), tail

    def _event(self, topic: Topic, text: str) -> tuple[str, str]:
        attributes = {name: {"Type": kind, "Value": value} for name, kind, value in plain(self.attributes)}
        front = (
            f'","Sns":{{"Type":"Notification","MessageId":"{self.id}","TopicArn":"{topic.arn}",'
            f'"Subject":{_text(self.subject)},"Message":{_text(text)},'
            f'"Timestamp":"{timestamp(self.published)}","SignatureVersion":"1","Signature":"{SIGNATURE}",'
            f'"SigningCertUrl":"{topic.certificate}","UnsubscribeUrl":"{topic.endpoint}/?Action=Unsubscribe'
            "&SubscriptionArn="
        )
        shown = json.dumps(attributes, separators=(",", ":"), ensure_ascii=False)
        return front, f'","MessageAttributes":{shown}}}}}]}}'


def plain(attributes: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, type and value of message attributes; bytes in base64."""
    shown = []
    for name, attribute in attributes.items():
        value = attribute.get("StringValue")
        if value is None:
            value = base64.b64encode(attribute["BinaryValue"]).decode()
        shown.append((name, attribute["DataType"], value))
    return shown


def timestamp(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    day, second = divmod(seconds, 86_400)
    minute = second // 60
    return f"{_day(day)}T{minute // 60:02d}:{minute % 60:02d}:{second % 60:02d}.{rest // 1000:03d}Z"


_days: dict[int, str] = {}


def _day(day: int) -> str:
    known = _days.get(day)
    if known is None:
        known = _days[day] = (_EPOCH + datetime.timedelta(days=day)).strftime("%Y-%m-%d")
    return known


def confirmation(
    topic: Topic, identifier: str, now: int, token: str, subscription_arn: str | None = None
) -> str:
    """SubscriptionConfirmation; with a subscription's ARN, UnsubscribeConfirmation of it."""
    kind, message = (
        "SubscriptionConfirmation",
        (
            f"You have chosen to subscribe to the topic {topic.arn}.\nTo confirm the subscription, visit the "
            "SubscribeURL included in this message."
        ),
    )
    if subscription_arn is not None:
        kind, message = (
            "UnsubscribeConfirmation",
            (
                f"You have chosen to deactivate subscription {subscription_arn}.\nTo cancel this operation "
                f"and "
                "restore the subscription, visit the SubscribeURL included in this message."
            ),
        )
    fields = {
        "Type": kind,
        "MessageId": identifier,
        "Token": token,
        "TopicArn": topic.arn,
        "Message": message,
        "SubscribeURL": f"{topic.endpoint}/?Action=ConfirmSubscription&TopicArn={topic.arn}&Token={token}",
        "Timestamp": timestamp(now),
        "SignatureVersion": topic.signature_version,
        "Signature": SIGNATURE,
        "SigningCertURL": topic.certificate,
    }
    return json.dumps(fields, indent=2, separators=(",", " : "), ensure_ascii=False)
