"""The workshop's own bucket for code and long templates, so that the CDK's bootstrap is not needed."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from time import sleep
from typing import Any

from botocore.exceptions import ClientError

from .assembly import Asset

MAX_BODY = 51_200
"""Bytes of a template that a request may carry itself.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
BUCKET_PATIENCE, BUCKET_EVERY = 180, 5
"""Seconds to try to make a bucket of a name that has just become free, and between two attempts.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (OperationAborted)"""


class BucketUnusable(RuntimeError):
    """The bucket cannot be read or made; the message says why."""


class AssetBucket:
    """The asset bucket: made when it is first needed, of this account only."""

    def __init__(self, s3: Any, account: str, region: str, tags: dict[str, str]) -> None:
        self._s3 = s3
        self._account = account
        self._region = region
        self._tags = tags
        self._ready: set[str] = set()

    def upload(self, assets: tuple[Asset, ...]) -> None:
        for asset in assets:
            bucket = self._bucket(asset)
            if bucket not in self._ready:
                self._make(bucket)
                self._ready.add(bucket)
            try:
                self._s3.head_object(Bucket=bucket, Key=asset.key)
            except ClientError as error:
                if not _is_missing(error):
                    raise
                self._s3.put_object(Bucket=bucket, Key=asset.key, Body=asset.content())

    def template(self, text: str) -> dict[str, str]:
        """How the API gets the template: as it is, or from the bucket if it is too long for that."""
        content = text.encode()
        if len(content) <= MAX_BODY:
            return {"TemplateBody": text}
        key = hashlib.sha256(content).hexdigest()[:32] + ".template"
        asset = Asset(key, Path(key), False, content_given=content)
        self.upload((asset,))
        return {"TemplateURL": f"https://s3.{self._region}.amazonaws.com/{self._bucket(asset)}/{key}"}

    def _bucket(self, asset: Asset) -> str:
        name = asset.bucket.replace("${AWS::AccountId}", self._account)
        return name.replace("${AWS::Region}", self._region).replace("${AWS::Partition}", "aws")

    def _make(self, bucket: str) -> None:
        try:
            self._s3.head_bucket(Bucket=bucket)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] in ("403", "AccessDenied", "Forbidden"):
                raise BucketUnusable(
                    f"bucket {bucket} for the code of functions cannot be used: it is not yours to read, or "
                    "belongs to another account"
                ) from None
            if not _is_missing(error):
                raise
        where = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        for attempt in itertools.count():
            try:
                self._s3.create_bucket(Bucket=bucket, **({} if self._region == "us-east-1" else where))
                break
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "BucketAlreadyOwnedByYou":  # by a notebook next to this one
                    break
                if code != "OperationAborted":  # it was deleted a moment ago, and S3 is still busy with that
                    raise
                if attempt * BUCKET_EVERY >= BUCKET_PATIENCE:
                    raise BucketUnusable(
                        f"bucket {bucket} for the code of functions could not be made for "
                        f"{BUCKET_PATIENCE} s: {error.response['Error'].get('Message', code)}. "
                        "Try again in a few minutes"
                    ) from None
                sleep(BUCKET_EVERY)
        if self._tags:
            self._s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": as_list(self._tags)})


def as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ("404", "NoSuchBucket", "NoSuchKey", "NotFound")
