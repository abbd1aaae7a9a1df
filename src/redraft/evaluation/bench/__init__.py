"""``redraft bench``: one run that times our model beside baselines on the same machine, answers judged.

Every arm lives in a process of its own (``worker``), so that each has its own memory and its own threads; the run asks
them in turn (``run``), so that what the machine does meanwhile meets them all alike.
"""

__all__: list[str] = []
