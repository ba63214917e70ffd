"""Rotation by a function: four steps, each an invocation, and the schedule that starts them.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html: createSecret,
setSecret, testSecret, finishSecret. If a step fails, "Secrets Manager retries the entire rotation process
multiple times"; AWS does not say how often: here five times in all, after 1, 2, 4 and 8 minutes. Then the
version stays AWSPENDING, and the next scheduled rotation goes on with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...kernel import SECOND
from ...service import Caller, ServiceError
from . import windows
from .model import CURRENT, PENDING, Secret, Version

if TYPE_CHECKING:
    from ...world import World

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_ATTEMPTS = 5
_FIRST_DELAY = 60 * SECOND


class Rotation:
    """Starts rotations and runs them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._ids = world.kernel.rng("secretsmanager.rotation")

    def check_function(self, secret: Secret, function: str) -> None:
        """May Secrets Manager invoke it? The same answer if there is no such function (recorded from AWS)."""
        world = self._world
        try:
            world.functions.target(function)
            params = {"FunctionName": function}
            world.identity.check(
                self._caller(secret, ""), "lambda", "Invoke", params, secret.region, world.account
            )
        except ServiceError as error:
            raise ServiceError(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function "
                "policy "
                "grants access to the principal secretsmanager.amazonaws.com.",
            ) from error

    def start(self, secret: Secret, token: str, trace: str) -> None:
        """A rotation to a new version of that id, in a task of its own."""
        if secret.rotating:
            return
        self.announce(secret, token)
        secret.rotating = True
        self._kernel.spawn(self._rotate, secret, token, trace, name=f"rotation of {secret.name}")

    def announce(self, secret: Secret, token: str) -> Version:
        """The version to be, empty, with the label AWSPENDING: the function looks for it."""
        version = secret.versions.get(token)
        if version is None:
            version = secret.versions[token] = Version(token, self._world.datetime(), key=secret.key)
        secret.move(PENDING, version)
        return version

    def test(self, secret: Secret, token: str, trace: str) -> None:
        """RotateImmediately false: the step testSecret alone, with a pending version that is removed "
        "again."""
        self.announce(secret, token)
        self._kernel.spawn(self._test, secret, token, trace, name=f"test of rotation of {secret.name}")

    def schedule(self, secret: Secret) -> None:
        """Set the timer for the next rotation: at a moment of the window that the seed decides."""
        self.unschedule(secret)
        if not secret.rotates or not secret.rules or secret.deleted is not None:
            return
        now = self._world.datetime()
        window = windows.following(secret.rules, now)
        if window is None:
            return
        secret.next_date = window.last
        length = int((window.closes - window.opens).total_seconds())
        wait = int((window.opens - now).total_seconds()) + self._ids.randrange(length)
        secret.timer = self._kernel.call_later(max(wait, 0) * SECOND, self._due, secret, background=True)

    def unschedule(self, secret: Secret) -> None:
        if secret.timer is not None:
            secret.timer.cancel()
        secret.timer = secret.next_date = None

    # -- a rotation ----------------------------------------------------------------------------------------

    def _due(self, secret: Secret) -> None:
        """A timer's callback. A rotation that was given up is gone on with."""
        pending, current = secret.staged(PENDING), secret.staged(CURRENT)
        token = pending.id if pending is not None and pending is not current else uuid4(self._ids)
        self.schedule(secret)
        self.start(secret, token, self._world.new_trace())

    def _rotate(self, secret: Secret, token: str, trace: str) -> None:
        outcome, delay = "", _FIRST_DELAY
        for attempt in range(1, _ATTEMPTS + 1):
            if attempt > 1:
                self._kernel.sleep(delay)
                delay *= 2
            if not secret.rotates or secret.deleted is not None:
                outcome = "RotationAbandoned"
                break
            outcome = self._attempt(secret, token, trace, attempt)
            if outcome == "ok":
                break
        secret.rotating = False
        if outcome == "ok":
            secret.rotated = self._world.datetime()
            self.schedule(secret)

    def _attempt(self, secret: Secret, token: str, trace: str, attempt: int) -> str:
        started, outcome, step = self._kernel.now, "ok", ""
        for step in STEPS:
            outcome = self._step(secret, token, step, trace)
            if outcome != "ok":
                break
        else:
            current = secret.staged(CURRENT)
            if current is None or current.id != token:
                outcome = "NotCurrent"
        self._note(secret, trace, started, outcome, {"version": token, "attempt": attempt, "step": step})
        return outcome

    def _test(self, secret: Secret, token: str, trace: str) -> None:
        started = self._kernel.now
        outcome = self._step(secret, token, "testSecret", trace)
        self._note(secret, trace, started, outcome, {"version": token, "attempt": 0, "step": "testSecret"})
        version = secret.versions.get(token)
        if version is not None and version.stages == {PENDING}:
            del secret.versions[token]

    def _note(self, secret: Secret, trace: str, started: int, outcome: str, data: dict[str, Any]) -> None:
        self._world.journal.record(
            "secretsmanager.rotation",
            secret.arn,
            actor="secretsmanager",
            duration=self._kernel.now - started,
            outcome=outcome,
            trace=trace,
            data=data,
        )

    def _step(self, secret: Secret, token: str, step: str, trace: str) -> str:
        """ "ok", or why not."""
        event = {
            "Step": step,
            "SecretId": secret.arn,
            "ClientRequestToken": token,
            "RotationToken": uuid4(self._ids),
        }
        params = {"FunctionName": secret.function, "Payload": json.dumps(event).encode()}
        try:
            answer = self._world.call(
                "lambda", "Invoke", params, self._caller(secret, trace), region=secret.region
            )
        except ServiceError as error:
            return error.code
        return str(answer.get("FunctionError", "ok"))

    def _caller(self, secret: Secret, trace: str) -> Caller:
        return Caller(
            "service",
            "secretsmanager",
            principal="secretsmanager.amazonaws.com",
            source_arn=secret.arn,
            source_account=self._world.account,
            trace=trace,
        )
