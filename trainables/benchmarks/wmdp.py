"""Multiple choice as the hub has it, WMDP's and MMLU's for example, as rows of the config `mcq`.

    rows = read_choices("cais/wmdp:wmdp-bio")    # or a folder or file of its layout: question, choices, answer

WMDP (arXiv 2403.03218) asks what a model should not know, and comes without the texts that taught it: those, a user's
own, make the rest of the benchmark. Nothing of its questions stands in Lethe, nor in what Lethe writes but the folder
that the user asks for.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainables.benchmarks.files import READERS
from trainables.benchmarks.layout import Row, read_rows
from trainables.benchmarks.rows import check_rows, make_rows
from trainables.failures import reason_of
from trainables.folders import expanded, may_be_hub_id
from trainables.hub import check_hub, read_dataset

SPLIT = "test"
COLUMNS = ("question", "choices", "answer", "subject")


def read_choices(place: str, split: str) -> list[Row]:
    """The rows of a file, of the files `test*` of a folder, or of `owner/name:config` on the hub, for `mcq/split`.

    What has no subject is given the name of the config, which is the folder's or the file's. ValueError, in one line,
    for a place that is not there and for rows that are no multiple choice.
    """
    path = expanded(place)
    if path.exists():
        name, rows = path.stem, [row for file in _files(path) for row in read_rows(file)]
    else:
        reference, _, name = place.partition(":")
        rows = make_rows(_from_hub(reference, name, place))
    own = [{column: row[column] for column in COLUMNS if column in row} for row in rows]
    check_rows(place, "mcq", split, own)
    return [{"subject": name} | row for row in own]


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.glob(f"{SPLIT}*"))
    found = [file for file in files if file.suffix in READERS]
    if not found:
        raise ValueError(f"{str(path)!r} holds no choices: no file {SPLIT}*{', '.join(READERS)}")
    return found


def _from_hub(reference: str, config: str, place: str) -> Iterable[Any]:
    from datasets.exceptions import DatasetsError

    if not may_be_hub_id(reference) or not config:
        raise ValueError(f"no choices {place!r}: neither a file nor a folder here, nor owner/name:config of the hub")
    check_hub(reference, "dataset")
    try:
        return read_dataset(reference, config, SPLIT)
    except (OSError, ValueError, DatasetsError) as error:
        raise ValueError(f"no choices {place!r} that can be read ({reason_of(error)})") from None
