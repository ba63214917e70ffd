"""A world: one kernel, one journal, one set of services, and the process patched to live in it."""

from __future__ import annotations

import datetime
import gc
import os
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from .access.identity import Identity
from .clients import ClientPatterns
from .clock import TimeFunctions, VirtualClock
from .cloudformation.service import CloudFormation
from .deployments.service import CodeDeploy
from .faults import Faults
from .functions import instrumentation, urls
from .functions.isolation import Entropy
from .functions.service import Functions
from .journal import Journal
from .kernel import Kernel
from .latency import LatencyModel
from .moto_bridge import Moto
from .patches import ACCESS_KEY, SECRET_KEY, SHARED
from .routes.apigateway.service import ApiGateway
from .routes.eventbridge.service import EventBridge
from .routes.http import Http
from .routes.http_client import HttpClients
from .routes.httpapi.service import HttpApis
from .routes.issuer import Issuer
from .routes.pipes.service import Pipes
from .routes.s3.encryption import Encryption
from .routes.s3.notifications import S3Notifications
from .routes.scheduler.service import Scheduler
from .routes.sns.service import Sns
from .routes.stepfunctions.service import StepFunctions
from .scaling.service import ApplicationAutoScaling
from .service import BeforeMoto, Caller, NotSimulated, Service
from .sources.mappings import Sources
from .stores.appconfig.data import AppConfigData
from .stores.appconfig.service import AppConfig
from .stores.cognito.service import Cognito
from .stores.dynamodb.conditions import leading_keys
from .stores.dynamodb.streams import DynamoDBStreams
from .stores.kinesis.service import Kinesis
from .stores.kms.keys import Keys
from .stores.parameters.service import Parameters
from .stores.secrets.service import SecretsManager
from .stores.sqs.service import Sqs
from .telemetry.cloudwatch import CloudWatch
from .telemetry.logs import Logs
from .telemetry.xray import XRay
from .telemetry.xray_otlp import Otlp
from .wire import Wire

START = datetime.datetime(2026, 1, 5, 9, 0, tzinfo=datetime.UTC)
"""Every world begins on this Monday morning: outputs that show a date are the same on every day."""

ACCOUNT = "123456789012"

_ENVIRONMENT = {
    # boto3 finds credentials and a Region here and looks no further. None of them is real.
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # moto does not know account-based endpoints
}

_open: World | None = None


class World:
    """Opens with construction, ends with ``close``. At most one is open in a process."""

    def __init__(
        self,
        seed: int = 0,
        start: datetime.datetime = START,
        latency: str | Path | dict[str, Any] | None = None,
        region: str = "us-east-1",
    ) -> None:
        global _open
        self.region = region
        self.account = ACCOUNT
        self.started = int(
            (start - datetime.datetime.fromtimestamp(0, datetime.UTC)) / datetime.timedelta(microseconds=1)
        )
        self.kernel = Kernel(self.started, seed, VirtualClock())
        self.journal = Journal(self.kernel)
        self.latency = LatencyModel.load(self.kernel, latency)  # may refuse: then the open world stays
        if _open is not None:
            _open.close()
        self.faults = Faults(self)
        self.moto = Moto(seed, self.account)
        self.identity = Identity(self)
        self.identity.context_readers["dynamodb"] = lambda params, region: leading_keys(
            params, region, self.account
        )
        self.keys = Keys(self)
        self.before_moto: dict[str, BeforeMoto] = {"kms": self.keys.before, "s3": Encryption(self).before}
        self._clients: dict[tuple[str, str, bool, str], Any] = {}
        self._traces = 0
        self.xray = XRay(self)
        self.sqs = Sqs(self)
        self.functions = Functions(self)
        self.identity.policy_readers["lambda"] = self.functions.policy
        self.sources = Sources(self)
        self.cloudformation = CloudFormation(self)
        self.cloudwatch = CloudWatch(self)
        self.logs = Logs(self)
        self.http = Http(self)
        self.http.register(f".lambda-url.{self.region}.on.aws", urls.nobody)
        Otlp(self)
        self._http_clients = HttpClients(self)
        self.kinesis = Kinesis(self)
        self.dynamodb_streams = DynamoDBStreams(self)
        self.sns = Sns(self)
        self.events = EventBridge(self)
        self.identity.policy_readers["events"] = self.events.policy
        self.identity.policy_readers["xray"] = self.xray.policy
        self.scheduler = Scheduler(self)
        self.application_autoscaling = ApplicationAutoScaling(self)
        self.pipes = Pipes(self)
        self.stepfunctions = StepFunctions(self)
        self.apigateway = ApiGateway(self)
        self.s3_notifications = S3Notifications(self)
        self.codedeploy = CodeDeploy(self)
        self.appconfig = AppConfig(self)
        self.http_apis = HttpApis(self)
        self.issuer = Issuer(self)
        self.secrets = SecretsManager(self)
        services: list[Service] = [
            self.sqs,
            self.functions,
            self.cloudformation,
            self.cloudwatch,
            self.logs,
            self.kinesis,
            self.dynamodb_streams,
            self.sns,
            self.events,
            self.scheduler,
            self.application_autoscaling,
            self.pipes,
            self.stepfunctions,
            self.codedeploy,
            self.appconfig,
            AppConfigData(self, self.appconfig),
            self.xray,
            self.http_apis,
            self.apigateway,
            self.secrets,
            Parameters(self),
            Cognito(self),
        ]
        self.services: dict[str, Service] = {service.name: service for service in services}
        self.wire = Wire(self)
        self._patterns = ClientPatterns(self)
        self._time = TimeFunctions(self.kernel)
        self._entropy = Entropy(self)
        self.closed = False
        self._environment_before = dict(os.environ)
        self._enter_environment()
        self._time.install()
        self._entropy.install()
        self.wire.install()
        self._patterns.install()
        self._http_clients.install()
        self.session = new_session(region)
        boto3.DEFAULT_SESSION = new_session(region)
        _quiet_collector()
        self._gc_threshold = gc.get_threshold()
        gc.set_threshold(20_000, 20, 20)
        _open = self

    def client(
        self, service: str, *, region: str | None = None, internal: bool = False, account: str = ""
    ) -> Any:
        """A boto3 client. ``internal`` ones belong to the services themselves and do not retry.

        ``account``: as somebody in another account. Only EventBridge has more than one.
        """
        if account and service != "events":
            raise NotSimulated(
                f"NotSimulated: {service} in account {account} - only events is simulated in other accounts"
            )
        key = (service, region or self.region, internal, account)
        client = self._clients.get(key)
        if client is None:
            config = Config(retries={"max_attempts": 0}) if internal else None
            client = self.session.client(service, region_name=key[1], config=config)
            _asked[key] = None
            if account:
                client._workshop_account = account
            self._clients[key] = client
        return client

    def prepare(self) -> None:
        """Make the clients that earlier worlds of this process made: it is about to be forked many times."""
        self._patterns.prepare()
        for service, region, internal, account in list(_asked):
            if not account and region == self.region:
                self.client(service, internal=internal)

    def call(
        self,
        service: str,
        operation: str,
        params: dict[str, Any],
        caller: Caller,
        *,
        region: str | None = None,
    ) -> dict[str, Any]:
        """One API call made by a service as ``caller``, from inside a task. Raises ServiceError."""
        return self.wire.perform(service, operation, params, caller, region or self.region)

    def new_trace(self) -> str:
        """An X-Ray trace id; the same on every run."""
        self._traces += 1
        return f"1-{self.kernel.now // 1_000_000:08x}-{self._traces:024x}"

    def datetime(self, time: int | None = None) -> datetime.datetime:
        """Virtual microseconds (now, if not given) as a datetime in UTC."""
        micros = self.kernel.now if time is None else time
        return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=micros)

    def close(self) -> None:
        """Undo every patch and drop every task. Closing twice does nothing."""
        global _open
        if self.closed:
            return
        self.closed = True
        try:
            self.kernel.shutdown()
        finally:
            self.stepfunctions.close()
            instrumentation.restore()
            self._http_clients.uninstall()
            self._patterns.uninstall()
            self.wire.uninstall()
            self._entropy.uninstall()
            self._time.uninstall()
            os.environ.clear()
            os.environ.update(self._environment_before)
            boto3.DEFAULT_SESSION = None
            self.moto.reset()
            gc.set_threshold(*self._gc_threshold)
            if _open is self:
                _open = None

    def _enter_environment(self) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(_ENVIRONMENT, AWS_DEFAULT_REGION=self.region, AWS_REGION=self.region)


_asked: dict[tuple[str, str, bool, str], None] = {}
"""Every client that was made in any world: service, Region, internal, account."""


def new_session(region: str) -> boto3.Session:
    """A boto3 session whose service models are read once in a process."""
    inner = botocore.session.get_session()
    inner.register_component("data_loader", SHARED)
    return boto3.Session(botocore_session=inner, region_name=region)


_frozen = False


def _quiet_collector() -> None:
    """Take what is in memory now out of the garbage collector's sight, once in a process.

    The simulation makes many objects that live for the whole run and few cycles. Without this the collector
    walks moto's and botocore's half a million objects again and again: a fifth of the time.
    """
    global _frozen
    if not _frozen:
        gc.freeze()
        _frozen = True
