"""The pure part of the agent: the question, the strict reading of the answer, the offline rules.

Here: ``write_brief`` (``decision_request/1``), ``read_reply`` (``decision_reply/1`` through a parse
that never repairs, and the confidence gate), ``answer`` (``offline_rules_v1``, which is not AI).
Not here: calling a model (``llm``), orders (``execution``), limits of size (``guards``).

The agent may approve, reduce, reject, exit or abstain. It never originates and never enlarges risk,
it names no price, quantity, account or mode, and what lowers risk does not wait for it.
"""

from haetae.agent.brief import BriefContext, write_brief
from haetae.agent.decision import read_reply, unreviewed
from haetae.agent.offline import DECIDER, answer, stance
from haetae.agent.reply import Refusal, Reply, parse_reply, reply_schema
from haetae.agent.settings import AgentSettings

__all__ = [
    "DECIDER",
    "AgentSettings",
    "BriefContext",
    "Refusal",
    "Reply",
    "answer",
    "parse_reply",
    "read_reply",
    "reply_schema",
    "stance",
    "unreviewed",
    "write_brief",
]
