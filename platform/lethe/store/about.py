"""What the studies of a store say of themselves under one key, without reading any of their trials."""

import json
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from lethe.store.facts import FACTS
from lethe.store.optuna_tables import check_schema, connect, explain
from lethe.store.queries import select

QUERY = (
    "select s.study_name, a.value_json from studies s join study_user_attributes a on a.study_id = s.study_id "
    'where a."key" = :facts order by s.study_id'
)


def about(url: str, key: str) -> dict[str, Any]:
    """Study -> what its facts say `about` under the key, oldest first; studies that say nothing of it are left out.

    ValueError in one sentence where the store cannot be read.
    """
    engine = connect(url)
    try:
        with engine.connect() as connection:
            check_schema(connection, url)
            rows = select(connection, QUERY, facts=FACTS)
    except SQLAlchemyError as error:
        raise ValueError(explain(error, url)) from None
    finally:
        engine.dispose()
    found = {name: _said(value, key) for name, value in rows if json.dumps(key) in value}
    return {name: said for name, said in found.items() if said is not None}


def _said(facts: str, key: str) -> Any:
    try:
        return json.loads(facts)["about"].get(key)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # half-written, or of another version: who reads the study is told
