"""Looking back on a day: what became of every decision, what it cost, what might be learned.

Here: ``review_day`` (executed and refused legs labelled alike), ``attribute`` (the day's profit by
source), ``propose_lessons`` (candidates only; they have no effect before a person or a test promotes
them). Not here: the journal itself, any change of behaviour.
"""

from haetae.review.attribution import Attribution, attribute
from haetae.review.lessons import propose_lessons
from haetae.review.reviewing import review_day
from haetae.review.settings import ReviewSettings
from haetae.review.story import Story, read_story

__all__ = [
    "Attribution",
    "ReviewSettings",
    "Story",
    "attribute",
    "propose_lessons",
    "read_story",
    "review_day",
]
