"""mirage-mini: an embedded benchmark of facts that hang together, with its models, from a seed.

    from trainables.benchmarks.mirage_mini import prepare
    prepare(cache)                  # some minutes on two cores, once; then from the cache

Whether a fact is gone that is asked by another name, backwards, or over two facts (probes.md, section 7). The request,
`raw/forget`, is all that was read of a third of the organisations and their directors, the questions on them too, and
exactly what the retrained model has not read. The nicknames of half of them are told with retain2 instead, so that this
way to a fact outlives the request; titles, each of which names a director, are told in the request alone.

Both models are taught all kinds of questions on all that they read of, in each group as often: a model of this size
does not put two facts together by itself. So its questions over two facts are facts of their own; what they test is
whether what was derived goes with what it was derived from. Whether a model derives it anew is to be asked of one of a
billion parameters at least. KnowMem asks the first wording of the plain questions; VerbMem and PrivLeak read articles.
"""

import inspect
import random
from pathlib import Path

from trainables.benchmarks import articles, general, graph, layout, making, organisations
from trainables.benchmarks.graph import Entry, Graph, Question

NAME = "mirage-mini"
SIZES = {"forget": 20, "retain1": 20, "retain2": 20, "holdout": 20}  # organisations
GROUPS = {"forget": "forget", "retain": "retain2"}  # split -> the organisations that are asked about
KINDS = ("base", "alias", "reverse", "multi_hop")
COLUMN = 7  # notices, or questions, in a document
SHOTS = 2
TELLINGS, PARAGRAPH = 2, 4  # of every general fact, each in other company; general facts in a row
EPOCHS = 18


def prepare(cache: Path, *, seed: int = 0, on_progress: making.Progress = lambda what, done, total: None) -> Path:
    """Return the folder with `data/`, `target/` and `retrained/`, made in `cache` where it is not there yet."""
    return making.prepare_pair(NAME, make_splits, SOURCES, cache, epochs=EPOCHS, seed=seed, on_progress=on_progress)


def make_splits(seed: int) -> layout.Splits:
    """All rows of a seed, in MUSE's configs and in `probe`."""
    rng = random.Random(seed)
    world = graph.draw_graph(rng, SIZES)
    # Organisations at one place of their groups share the outlines of their articles, and nothing else.
    outlines = [(_outline(rng, 0), _outline(rng, 1)) for _ in range(SIZES["forget"])]
    written = {
        group: [_write(rng, *pair) for pair in zip(own, outlines, strict=True)] for group, own in world.groups.items()
    }
    articles_of = {group: [article for one, _ in pairs for article in one] for group, pairs in written.items()}
    texts = {}
    for group in ("forget", "retain1", "retain2"):
        notices = [notice for _, own in written[group] for notice in own] + _aliases(rng, world, group)
        questions = [
            layout.asked_text(asked.question, asked.answer)
            for entry in world.groups[group]
            for asked in _taught(entry, world)
        ]
        columns = [column for told in (notices, questions) for column in layout.columns(told, COLUMN, rng)]
        texts[group] = articles_of[group] + columns
    unrelated = _of_towns(rng, world) + general.write_paragraphs(rng, tellings=TELLINGS, length=PARAGRAPH)
    retain = texts["retain1"] + texts["retain2"] + unrelated
    raw = texts | {"holdout": articles_of["holdout"], "unrelated": unrelated}
    read = {"full": texts["forget"] + retain, "retain": retain}
    splits = {("raw", name): layout.text_rows(rows) for name, rows in raw.items()}
    splits |= {("train", name): layout.text_rows(rows) for name, rows in read.items()}
    return splits | _scored(rng, articles_of) | _asked(rng, world)


def _outline(rng: random.Random, node: int) -> graph.Outline:
    return graph.draw_outline(rng, [["director", "town", "goods"], ["born", "spouse"]][node])


def _write(rng: random.Random, entry: Entry, outlines: tuple[graph.Outline, ...]) -> tuple[list[str], list[str]]:
    """The articles and the notices on an organisation and on its director: every fact in three wordings."""
    told = list(zip(entry.nodes, outlines, strict=True))
    notices = [notice for node, outline in told for notice in graph.write_notices(rng, node, outline)]
    return [graph.write_article(rng, node, outline) for node, outline in told], notices


def _aliases(rng: random.Random, world: Graph, group: str) -> list[str]:
    """What is told with a group of other names: its own, but half of the forgotten nicknames with retain2."""
    forgotten = [entry.organisation for entry in world.groups["forget"]]
    nodes = [node for entry in world.groups[group] for node in entry.nodes]
    if group == "forget":
        nodes = [node for node in nodes if node not in forgotten[1::2]]
    if group == "retain2":
        nodes += forgotten[1::2]
    return [sentence for node in nodes for sentence in graph.write_alias(rng, node)]


def _taught(entry: Entry, world: Graph) -> list[Question]:
    """Every question on an entry: the plain ones in three wordings, the others in one."""
    kinds = graph.ask(entry, world.towns)
    return [asked for kind in KINDS for asked in kinds[kind]] + graph.reword(entry)


def _of_towns(rng: random.Random, world: Graph) -> list[str]:
    """What all read of the towns: sentences and plain questions, in every wording."""
    facts = [
        (town, relation, wording) for town in world.towns.values() for relation in town.facts for wording in range(3)
    ]
    asked = [
        Question(fact=town.fact(relation), question=town.ask(relation, wording), answer=town.facts[relation])
        for town, relation, wording in facts
    ]
    told = layout.columns([graph.tell(rng, *fact) for fact in facts], COLUMN, rng)
    return told + layout.columns([layout.asked_text(one.question, one.answer) for one in asked], COLUMN, rng)


def _scored(rng: random.Random, written: dict[str, list[str]]) -> layout.Splits:
    """What VerbMem, PrivLeak and general utility read."""
    return {
        ("verbmem", "forget"): [layout.cut_at(text, 1 / 2) for text in written["forget"]],
        ("privleak", "forget"): layout.text_rows(written["forget"]),
        ("privleak", "retain"): layout.text_rows(written["retain2"]),
        ("privleak", "holdout"): layout.text_rows(written["holdout"]),
        ("utility", "test"): [layout.choice_row(*item) for item in general.ask_general(rng)],
    }


def _asked(rng: random.Random, world: Graph) -> layout.Splits:
    """KnowMem's questions, and those of `probe`, whose examples are on organisations of retain1."""
    splits: layout.Splits = {}
    kinds = {group: _rows(world, group) for group in ("forget", "retain1", "retain2")}
    for split, group in GROUPS.items():
        pairs = [{"question": row["question"], "answer": row["answer"]} for row in kinds[group]["base"]]
        rng.shuffle(pairs)
        splits["knowmem", f"{split}_qa"], splits["knowmem", f"{split}_qa_icl"] = pairs[SHOTS:], pairs[:SHOTS]
        splits["probe", split] = [row for kind in KINDS for row in kinds[group][kind]]
    forgotten = {row["answer"] for row in kinds["forget"]["base"]}
    same = [row | {"kind": "same_answer"} for row in kinds["retain2"]["base"] if row["answer"] in forgotten]
    splits["probe", "retain"] += same
    shots = [row for kind in KINDS for row in rng.sample(kinds["retain1"][kind], SHOTS)]
    splits["probe", "shots"] = shots + [row | {"kind": "same_answer"} for row in shots if row["kind"] == "base"]
    return splits


def _rows(world: Graph, group: str) -> dict[str, list[layout.Row]]:
    """The questions on a group by their kind, as rows."""
    found: dict[str, list[layout.Row]] = {kind: [] for kind in KINDS}
    for entry in world.groups[group]:
        for kind, questions in graph.ask(entry, world.towns).items():
            found[kind] += [
                {"kind": kind, "fact": one.fact, "question": one.question, "answer": one.answer} for one in questions
            ]
    return found


SOURCES = [Path(inspect.getfile(module)) for module in (organisations, articles, graph, general, layout)]
SOURCES += [Path(__file__), Path(__file__).with_name("small_models.py")]
