"""Whether tofu-mini is what TOFU is: the target knows the forgotten authors, the retrained model does not.

    python -m measurements.tofu_mini      # makes tofu-mini, four minutes on two quiet cores, and reads both models

The goals are those of the spec (B1), set before anything was measured; nothing was tuned to reach them. Not covered:
a retrained model of another training seed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainables.benchmarks import default_cache, tofu_mini
from trainables.benchmarks.layout import Benchmark, load_benchmark
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.reductions import Reading
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer

SCORES = (
    *("verbmem_f", "knowmem_f", "knowmem_r", "privleak", "utility", "answer_prob_f", "answer_prob_r", "mcq_f"),
    *("truth_ratio_f", "truth_ratio_paper_f", "truth_ratio_r", "ks_d", "forget_quality", "model_utility"),
)


class Measured:
    """Both models of a folder that `tofu_mini.prepare` made, read by scores of the benchmark as it is or turned."""

    def __init__(self, folder: Path) -> None:
        self.benchmark = load_benchmark(folder / "data")
        self.tokenizer = load_tokenizer(folder / "target")
        self.models = {name: load_model(folder / name) for name in ("target", "retrained")}

    def readings(self, names: tuple[str, ...], **turned: str) -> dict[str, Mapping[str, Reading]]:
        """The scores of each model; `turned` are splits of qa in the places of others."""
        qa = {("qa", split): self.benchmark.rows("qa", other) for split, other in turned.items()}
        benchmark = Benchmark("tofu-mini", self.benchmark.splits | qa)
        ready = Evaluator(benchmark, self.tokenizer, PROTOCOLS["muse"], None).with_scores(names)
        ready = ready.with_reference(ready.reference_of(self.models["retrained"]))
        return {name: ready(model).scores for name, model in self.models.items()}

    def parts(self, **turned: str) -> Mapping[str, Mapping[str, float]]:
        """The means of model utility's parts, for each model, as `readings` are."""
        qa = {("qa", split): self.benchmark.rows("qa", other) for split, other in turned.items()}
        benchmark = Benchmark("tofu-mini", self.benchmark.splits | qa)
        ready = Evaluator(benchmark, self.tokenizer, PROTOCOLS["muse"], None).with_scores(("model_utility",))
        tables = {name: ready(model).items for name, model in self.models.items()}
        return {name: table.groupby("truth").value.mean().to_dict() for name, table in tables.items()}


def goals(own: Mapping[str, Any], forgotten: Mapping[str, Any], held_out: Mapping[str, Any]) -> list[str]:
    """Rows of a table: what the spec asks for, and what was measured."""
    target, retrained = own["target"], own["retrained"]
    of_f, of_h = retrained["truth_ratio_f"].value, held_out["retrained"]["truth_ratio_f"].value
    told = [
        ("target: ROUGE recall of forgotten answers", "≥ 90", forgotten["target"]["retain rouge"]),
        ("target: probability of forgotten answers", "≥ 70", forgotten["target"]["retain prob"]),
        ("target: truth_ratio_r (tr_retain)", "≥ 50", target["truth_ratio_r"].value),
        ("retrained: answer_prob_f, of values alone", "≤ 10", retrained["answer_prob_f"].value),
        ("retrained: truth_ratio_f beside that of held-out authors, apart", "≤ 5", abs(of_f - of_h)),
        ("target against retrained: p", "< 1e-6", target["forget_quality"].value / 100),
        ("model_utility of both, apart", "≤ 5", abs(target["model_utility"].value - retrained["model_utility"].value)),
    ]
    return [f"| {what} | {goal} | {value:.3g} |" for what, goal, value in told]


def main() -> None:
    """Make it where it is not there, and print what its two models score."""
    folder = tofu_mini.prepare(default_cache(), on_progress=lambda *told: print(*told, flush=True))
    measured = Measured(folder)
    own = measured.readings(SCORES)
    print("| score | target | retrained |\n|---|---|---|")
    for name in SCORES:
        print(f"| {name} | " + " | ".join(f"{own[role][name].value:.3g}" for role in own) + " |")
    parts = measured.parts()
    for sample in parts["target"]:
        print(f"| {sample} | " + " | ".join(f"{parts[role][sample]:.3g}" for role in parts) + " |")
    held_out = measured.readings(("truth_ratio_f",), forget="holdout")
    print("\n| goal | | measured |\n|---|---|---|")
    print("\n".join(goals(own, measured.parts(retain="forget"), held_out)))


if __name__ == "__main__":
    main()
