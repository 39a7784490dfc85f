"""`lethe benchmark tofu` writes TOFU's questions as a benchmark folder."""

import json

from tiny_tofu import CONFIGS
from typer.testing import CliRunner

from lethe_cli.benchmark import benchmark_app
from trainables.benchmarks.layout import load_benchmark
from trainables.benchmarks.tofu import read_tofu


def test_the_command_writes_a_folder_that_is_a_benchmark(tmp_path):
    for name, rows in CONFIGS.items():
        (tmp_path / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = CliRunner().invoke(benchmark_app, ["tofu", str(tmp_path / "out"), "--from", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "3 forget, 4 retain1, 3 retain2, 3 holdout questions" in result.output
    assert load_benchmark(tmp_path / "out").splits == read_tofu(str(tmp_path), "forget10")
