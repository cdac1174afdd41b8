"""Clients of AWS and the meaning of its refusals.

Credentials come only from where AWS's own tools look for them; none is a setting of this program.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from haetae.domain.errors import ConfigError, HaetaeError, Text

REGION = "ap-northeast-2"
"""Seoul: the broker's servers are there."""
_STALE = {
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


class CloudError(HaetaeError):
    """The cloud or a host refused or could not be reached; nothing is left half-done."""

    exit_code = 8


def client(service: str, *, region: str = REGION, endpoint_url: str | None = None) -> Any:
    """Return a client of one service; it does not connect before its first call."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError as fault:
        raise ConfigError(
            Text(ko="AWS 라이브러리가 없습니다", en="the AWS library is not installed"),
            expected="boto3",
            found=str(fault),
            next_step="python3 run.py setup full",
        ) from fault
    config = Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 4, "mode": "standard"})
    return boto3.Session().client(service, region_name=region, endpoint_url=endpoint_url, config=config)


@contextmanager
def refusals(doing: Text) -> Iterator[None]:
    """Turn what AWS raises into errors that tell what was being done and who must act."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        EndpointConnectionError,
        NoCredentialsError,
        PartialCredentialsError,
    )

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as fault:
        raise ConfigError(
            Text(ko="AWS 자격 증명이 없습니다", en="there are no AWS credentials"),
            expected=Text(ko="`aws configure sso` 또는 환경 변수", en="`aws configure sso` or environment variables"),
            found=str(fault),
            next_step=Text(ko="`aws sts get-caller-identity` 로 확인하세요", en="try `aws sts get-caller-identity`"),
        ) from fault
    except ClientError as fault:
        raise _of_code(str(fault.response.get("Error", {}).get("Code", "")), str(fault), doing) from fault
    except EndpointConnectionError as fault:
        raise CloudError(
            Text(ko=f"AWS에 닿지 못했습니다: {doing.ko}", en=f"AWS was not reached: {doing.en}"),
            expected=Text(ko="응답하는 주소", en="an address that answers"),
            found=str(fault),
            next_step=Text(ko="네트워크와 --endpoint-url, --region 확인", en="check network, --endpoint-url, --region"),
        ) from fault
    except BotoCoreError as fault:
        raise CloudError(
            Text(ko=f"AWS 호출이 끝나지 못했습니다: {doing.ko}", en=f"a call to AWS did not finish: {doing.en}"),
            found=str(fault),
            next_step=Text(ko="같은 명령을 다시 실행하세요", en="run the same command again"),
        ) from fault


def _of_code(code: str, found: str, doing: Text) -> HaetaeError:
    if code in _STALE:
        return ConfigError(
            Text(ko="AWS 자격 증명이 만료되었거나 틀립니다", en="the AWS credentials are expired or wrong"),
            found=found,
            next_step=Text(ko="다시 로그인하세요 (`aws sso login`)", en="log in again (`aws sso login`)"),
        )
    if code in _DENIED:
        return ConfigError(
            Text(ko=f"AWS 권한이 없습니다: {doing.ko}", en=f"AWS does not permit: {doing.en}"),
            found=found,
            next_step=Text(ko="이 계정에 필요한 권한을 주세요", en="give this identity the permission"),
        )
    return CloudError(
        Text(ko=f"AWS가 거절했습니다: {doing.ko}", en=f"AWS refused: {doing.en}"),
        found=found,
        next_step=Text(ko="메시지의 원인을 고치고 다시 실행하세요", en="mend what the message names and run again"),
    )
