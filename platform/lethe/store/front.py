"""The front of a study that grows, for who runs it: a trial's candidates are read when it has ended, and never again.

Who finishes a trial wants the front of all complete ones. To read them all each time would take the longer the more
there are. A trial none of whose candidates is on the front never comes onto it again, so its rows are forgotten, and
what a trial's end costs follows the size of the front and not the number of trials. Repeats are no candidates.
"""

import pandas as pd
from sqlalchemy import Connection, Engine

from lethe.store.candidates import candidates_of
from lethe.store.facts import Facts
from lethe.store.optuna_tables import Rows, read_rows, read_trials
from lethe.store.queries import select
from lethe.store.trials import REPEATS

AT_ONCE = 1000  # trials whose rows are in memory together


class Front:
    """The front of one study's complete trials, read again and again. Raises what SQLAlchemy does."""

    def __init__(self, engine: Engine, name: str, facts: Facts) -> None:
        self._engine, self._name, self._facts = engine, name, facts
        self._newest = 0  # id of the newest trial there was at the last reading
        self._open: list[int] = []  # ids of the trials that had not ended then
        self._trials = pd.DataFrame()  # with `_rows`, of the complete trials that have a candidate on the front
        self._rows = Rows.none()
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
            self._weigh(pd.concat([self._trials, some], ignore_index=True), self._rows.joined(rows))
        self._open = trials.loc[trials["state"].isin(("RUNNING", "WAITING")), "trial_id"].tolist()
        self._newest = max([self._newest, *trials["trial_id"].tolist()])

    def _weigh(self, trials: pd.DataFrame, rows: Rows) -> None:
        """Find the front among the candidates of some trials, and forget the others."""
        candidates = candidates_of(trials, rows, self._facts)
        self._candidates = candidates[candidates["front"]] if len(candidates) else candidates
        there = set(self._candidates["trial"]) if len(self._candidates) else set()
        self._trials = trials[trials["number"].isin(there)]
        self._rows = rows.of(set(self._trials["trial_id"]))
