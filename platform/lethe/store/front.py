"""The front of a study that grows, for who runs it: a trial's candidates are read when it has ended, and never again.

Who finishes a trial wants the front of all complete ones. To read them all each time would take the longer the more
there are. A candidate that is not on the front never comes onto it again, so it is forgotten, and what a trial's end
costs follows the size of the front and not the number of trials. Repeats are no candidates.
"""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine

from lethe.fronts import pareto
from lethe.fronts.objectives import loss_array
from lethe.store.candidates import candidates_of, filled
from lethe.store.facts import Facts
from lethe.store.optuna_tables import read_rows, read_trials
from lethe.store.places import PLACE
from lethe.store.queries import select
from lethe.store.trials import REPEATS

AT_ONCE = 1000  # trials whose rows are in memory together


class Front:
    """The front of one study's complete trials, read again and again. Raises what SQLAlchemy does."""

    def __init__(self, engine: Engine, name: str, facts: Facts) -> None:
        self._engine, self._name, self._facts = engine, name, facts
        self._newest = 0  # id of the newest trial there was at the last reading
        self._open: list[int] = []  # ids of the trials that had not ended then
        self._candidates = pd.DataFrame()

    def read(self) -> pd.DataFrame:
        """The candidates on the front as it is now, with the columns of `candidates_of`, by trial and place."""
        with self._engine.connect() as connection:
            self._read(connection)
        return self._candidates

    def _read(self, connection: Connection) -> None:
        study_id = select(connection, "select study_id from studies where study_name = :name", name=self._name)[0][0]
        trials = read_trials(connection, study_id, after=self._newest, among=self._open)
        complete = trials[trials["state"] == "COMPLETE"]
        for first in range(0, len(complete), AT_ONCE):
            some = complete.iloc[first : first + AT_ONCE]
            rows = read_rows(connection, study_id, some["trial_id"].tolist())
            some = some[~some["trial_id"].isin(rows.numbers(REPEATS))]
            self._candidates = _front_of(self._candidates, candidates_of(some, rows, self._facts), self._facts)
        self._open = trials.loc[trials["state"].isin(("RUNNING", "WAITING")), "trial_id"].tolist()
        self._newest = max([self._newest, *trials["trial_id"].tolist()])


def _front_of(known: pd.DataFrame, candidates: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """The front among what is known to be on it and the candidates of further trials."""
    new = candidates[candidates["front"]] if len(candidates) else candidates
    if not len(known) or not len(new):
        return new if len(new) else known
    both = filled(pd.concat([known, new], ignore_index=True))
    stays = pareto.front(loss_array(both, facts.objectives), np.ones(len(both), bool))
    return both[stays].sort_values(["trial", *PLACE], kind="stable", ignore_index=True)
