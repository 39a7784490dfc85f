"""`lethe benchmark rwku` writes RWKU's questions on people as a benchmark folder, and says what RWKU has not."""

import json

from tiny_rwku import FILES
from typer.testing import CliRunner

from lethe_cli.benchmark import benchmark_app
from trainables.benchmarks.layout import load_benchmark
from trainables.benchmarks.rwku import read_rwku


def test_the_command_writes_a_folder_that_is_a_benchmark(tmp_path):
    for name, rows in FILES.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    given = ["--from", str(tmp_path), "--subject", "Ada Orme", "--subject", "Cy Marsh"]
    result = CliRunner().invoke(benchmark_app, ["rwku", str(tmp_path / "out"), *given])
    assert result.exit_code == 0, result.output
    assert "6 texts to forget, questions: 24 on forget, 16 on retain" in result.output
    assert "missing, as RWKU has none: a retrained model" in result.output
    assert load_benchmark(tmp_path / "out").splits == read_rwku(str(tmp_path), ["Ada Orme", "Cy Marsh"])
