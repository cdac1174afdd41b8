"""Language-model providers behind two ports; nothing here is needed without a model.

Here: the client of an OpenAI-compatible endpoint (``HAETAE_LLM_BASE_URL``, ``_MODEL``, ``_API_KEY``), with
deadline, breaker, byte caps, host rules, drift check and spend ledger. Not here: reading a decision
(``agent.read_reply``), the offline rules (``live.OfflineDecider``), who plugs it in (``wiring.deciders``).

Other rooms use it only through the wiring::

    from haetae.wiring import deciders
    decider = deciders.open_decider(os.environ, clock)   # ports.Decider, or None: nothing is configured
    critic = deciders.open_critic(os.environ, clock)     # ports.Critic, or None: nothing is configured
    critique = await critic.critique(review, facts)      # domain.learning.Critique, never raises for the model

``critique.label`` is one of ``domain.learning.CRITIQUE_LABELS``, or empty with ``critique.failure``.
"""
