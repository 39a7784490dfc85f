"""Tasks of lm-evaluation-harness from a benchmark's own rows: a file of settings and one of rows in a folder. No torch.

The harness ships no data: every task names some on a hub, or local files as these do.
"""

import json
from pathlib import Path

import yaml

from trainables.benchmarks.layout import Benchmark

UTILITY = "lethe_utility"  # the task of a benchmark's config utility


def write_utility(benchmark: Benchmark, folder: Path) -> Path:
    """Write the benchmark's general utility as a task, whose `acc` is the score utility / 100; returns `folder`.

    ValueError where the benchmark has no config utility.
    """
    rows = benchmark.rows("utility", "test")
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{UTILITY}.jsonl"
    numbered = [row | {"answer": int(row["answer"])} for row in rows]  # text would be looked for among the choices
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in numbered), "utf-8")
    task = {
        "task": UTILITY,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "prompt",
        "doc_to_choice": "choices",
        "doc_to_target": "answer",
        "target_delimiter": "",  # a choice is joined to its prompt as it is
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    (folder / f"{UTILITY}.yaml").write_text(yaml.safe_dump(task, sort_keys=False), "utf-8")
    return folder
