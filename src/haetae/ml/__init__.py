"""Labels, purged folds, boosted rankers and how good their scores are.

``labels`` says what is learned and when it is known, ``folds`` keeps past and future apart,
``samples`` turns features into ranks of the day, ``rankers`` holds three libraries behind one face,
``trial`` walks forward, ``quality`` measures, ``yardsticks`` are the scores to beat, ``artefact``
stores a model without pickles. Not here: features, the registry, positions.
"""
