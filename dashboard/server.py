"""The dashboard's server: Streamlit's own, which loads libraries and the newest study while a browser starts.

    lethe dashboard          # runs it; its own flags are Streamlit's

What this reads, the first reader does not wait for. `streamlit run dashboard/app.py` shows the same.
"""

import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from streamlit import runtime
from streamlit.web import cli

APP = Path(__file__).with_name("app.py")


def load() -> None:
    """Import what the pages need, and read the newest study; what is wrong with the store is told on the page."""
    while not runtime.exists():  # Streamlit's caches warn of one that they cannot find
        time.sleep(0.05)
    from dashboard import data, parts, wire  # noqa: F401
    from dashboard.charts import fronts_3d  # noqa: F401
    from dashboard.reports import decision as report  # noqa: F401
    from lethe.store.optuna_tables import study_names

    with suppress(ValueError, IndexError):
        url = data.storage_url()
        data.read(url, study_names(url)[0])


if __name__ == "__main__":
    threading.Thread(target=load, daemon=True).start()
    cli.main(["run", str(APP), *sys.argv[1:]], prog_name="streamlit")
