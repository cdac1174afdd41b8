"""Machines elsewhere: AWS stacks, releases on a host by SSH, the lake in a bucket.

Here: ``stacks`` (CloudFormation), ``releases`` (push, activate, roll back), ``bucket`` (files to and from
S3), ``aws`` (clients and what AWS's refusals mean). Not here: the templates (``infra/``), the units
(``systemd/``), anything that trades.
"""
