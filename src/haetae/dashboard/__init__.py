"""The web pages: pictures of what the service tells, in Korean, and the operator's few buttons.

Here: pages (Streamlit), how figures are written, charts, the HTTP client of the service.
Not here: any rule, any file of the desk, any order; all of it is asked of ``service`` and read through
``service.schemas``. Start with ``python -m haetae.dashboard`` or ``haetae dashboard``.
"""
