"""The local AWS of these tests."""

from __future__ import annotations

from local_aws import aws, aws_server

__all__ = ["aws", "aws_server"]
