"""Tokenizers as their own files have them: the ids are those of tokenizer.json, whatever class a model's type has.

For some types (transformers 5.23: qwen2, qwen3_5, gpt2, gpt_neox and others) AutoTokenizer builds a class of its own
from the file's vocabulary: it may split texts otherwise, add tokens that the model has no embedding of, or leave out
`<s>`. The model then reads ids that it was not trained on, and is scored without an error.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import transformers
from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import HTTPError, LocalEntryNotFoundError, RemoteEntryNotFoundError
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from trainables.failures import reason_of
from trainables.hub import source
from trainables.subjects.model_files import TOKENIZER_FILES, check_model_files

PROBES = (
    "In 2024, 12345 mills made 3.14159 tons; No. 7 made 0.",
    "  Two spaces,\ta tab \n\n and lines\r\nthat end  \n",
    "It's what they'll say: DON'T (a_b-c) re-use it!? x=[1, 2];",
    "Ünïcode naïve café, Straße, e\u0301, ﬁ, ½ and ２",
    "Привет, мир: Ελληνικά, עברית, العربية, हिन्दी",
    "日本語のテキスト。中文字符，한국어 😀🏽",
    "Question: Who?\nAnswer: Nobody.\n\nQuestion: When?\nAnswer: ",
)


def load_tokenizer(reference: str | Path) -> Any:
    """Load the tokenizer that stands beside a model, in a folder or under a hub id, as its tokenizer.json has it.

    A class of transformers stands in only where there is no tokenizer.json. ValueError, in one line, where it cannot be
    loaded, does not give the file's ids, or adds special tokens with which no prompt can be continued.
    """
    if Path(reference).is_dir():
        check_model_files(Path(reference))
    try:
        file = own_file(reference, "tokenizer.json")
        tokenizer = _load(PreTrainedTokenizerFast if file else AutoTokenizer, reference)
    except Exception as error:  # the package tokenizers raises nothing narrower
        raise ValueError(f"the tokenizer of {str(reference)!r} cannot be loaded: {reason_of(error)}") from error
    if file is not None:
        _check_against(Tokenizer.from_file(str(file)), tokenizer, reference)
        _name_ends(tokenizer, reference)
    _check_ends(tokenizer, reference)
    return tokenizer


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer so that others load it as it is: under the name by which AutoTokenizer leaves the file alone.

    transformers 5 writes a name that transformers 4 does not know.
    """
    tokenizer.save_pretrained(folder)
    if isinstance(tokenizer, PreTrainedTokenizerFast):
        file = folder / "tokenizer_config.json"
        settings = json.loads(file.read_text("utf-8"))
        settings |= {"tokenizer_class": "PreTrainedTokenizerFast"}
        file.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", "utf-8")


def leading_ids(tokenizer: Any) -> list[int]:
    """The special tokens that a tokenizer puts before every text: a BOS, or none."""
    whole, plain = tokenizer("A text").input_ids, tokenizer("A text", add_special_tokens=False).input_ids
    return whole[: len(whole) - len(plain)]


def padding_id(tokenizer: Any) -> int:
    """The id that fills up batches: any would do, since it is masked wherever it stands."""
    for index in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if index is not None:
            return int(index)
    return 0


def check_vocabulary(model: Any, tokenizer: Any, reference: str | Path) -> None:
    """Check that the model has an embedding of every id of the tokenizer, and can write an id that ends a text."""
    rows = model.get_input_embeddings().weight.shape[0]
    token, last = max(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    if last >= rows:
        raise ValueError(
            f"model {str(reference)!r} has embeddings of {rows} ids, the tokenizer of {tokenizer.name_or_path!r} ids "
            f"up to {last} ({token!r}): take the token out of the tokenizer's files, or give the model more embeddings"
        )
    ends = end_tokens(model)
    if ends and min(ends) >= rows:
        raise ValueError(
            f"model {str(reference)!r} ends its texts with id {min(ends)}, of the {rows} that it has: set eos_token_id "
            f"in its config.json and generation_config.json (the tokenizer's is {tokenizer.eos_token_id})"
        )


def end_tokens(model: Any) -> frozenset[int]:
    """The ids at which `generate` of transformers ends a row; none where the model names none."""
    config = getattr(model, "generation_config", None) or model.config
    eos = config.eos_token_id
    if eos is None:
        return frozenset()
    return frozenset([eos] if isinstance(eos, int) else eos)


def shared_tokenizer(tokenizer: Any, target: str, retrained: str | None) -> Any:
    """Return the target's tokenizer; ValueError where the retrained model's own gives other ids.

    The two are compared text by text, so both have to read the same ids. Where the retrained model has no tokenizer of
    its own, the sizes of the vocabularies have to be known and the same.
    """
    if retrained is None:
        return tokenizer
    if any(own_file(retrained, name) for name in TOKENIZER_FILES):
        own = load_tokenizer(retrained)
        same = _words(own) == _words(tokenizer) and _same_ids(own, tokenizer)
    else:
        sizes = [_vocabulary_size(model) for model in (retrained, target)]
        if None in sizes:
            raise ValueError(
                f"whether the retrained model {retrained!r} reads the ids of the target {target!r} is not known: it "
                "has no tokenizer, and no vocab_size is found for both; put its tokenizer.json beside it"
            )
        same = sizes[0] == sizes[1]
    if not same:
        raise ValueError(
            f"the retrained model {retrained!r} and the target {target!r} have different tokenizers: a retrained model "
            "has to read the same ids as its target"
        )
    return tokenizer


def tokenizer_notes(tokenizer: Any) -> list[str]:
    """What a user should know of a tokenizer that was loaded: a line each, without its name."""
    reference = tokenizer.name_or_path
    notes = ["its chat template is not applied: texts and prompts are read as they are"] * bool(tokenizer.chat_template)
    file = own_file(reference, "tokenizer.json") if reference else None
    if file is None:
        return notes
    said = settings_of(reference, "tokenizer_config.json").get("add_bos_token")
    if said is not None and said != (tokenizer("").input_ids[:1] == [tokenizer.bos_token_id]):
        notes.append(
            f"its tokenizer_config.json says add_bos_token={said}, unlike its tokenizer.json: that is followed"
        )
    if not _auto_agrees(tokenizer, reference):
        notes.append(
            f"AutoTokenizer of transformers {transformers.__version__} does not give the ids of its tokenizer.json, "
            "which Lethe goes by: elsewhere load it, and candidates, by PreTrainedTokenizerFast"
        )
    return notes


def own_file(reference: str | Path, name: str) -> Path | None:
    """A file of a folder, or of a hub id through the cache of downloads; None where it has no such file.

    ValueError, in one line, where a hub that is asked does not tell: a file that it may have is never taken for none.
    """
    if Path(reference).is_dir():
        return Path(reference) / name if (Path(reference) / name).is_file() else None
    options = source(reference)
    try:
        return Path(hf_hub_download(str(reference), name, **options))
    except RemoteEntryNotFoundError:
        return None
    except (HTTPError, OSError) as error:
        here_alone = options["local_files_only"] or constants.HF_HUB_OFFLINE
        if here_alone and isinstance(error, LocalEntryNotFoundError):
            return None
        raise ValueError(
            f"whether {str(reference)!r} has a {name} is not known: the hub does not tell ({reason_of(error)})"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings of transformers, which are checked here and told in one line, nor its bars of reading and writing."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL)
    hook = logging.set_tqdm_hook(lambda factory, args, kwargs: logging.EmptyTqdm(*args, **kwargs))
    try:
        yield
    finally:
        logging.set_tqdm_hook(hook)
        logging.set_verbosity(before)


def settings_of(reference: str | Path, name: str) -> dict[str, Any]:
    """What a JSON file of a model says; {} where it has no such file."""
    file = own_file(reference, name)
    return json.loads(file.read_text("utf-8")) if file else {}


def _vocabulary_size(model: str) -> int | None:
    with suppress(Exception), quiet():  # what transformers raises of a configuration has no common kind
        config = AutoConfig.from_pretrained(model, trust_remote_code=False, **source(model))
        return getattr(config.get_text_config(), "vocab_size", None)
    return None


def _words(tokenizer: Any) -> dict[str, int]:
    """The vocabulary but for added tokens, which no ordinary text holds: a padding token of one's own is no fault."""
    added = tokenizer.get_added_vocab()
    return {token: index for token, index in tokenizer.get_vocab().items() if token not in added}


def _same_ids(one: Any, other: Any) -> bool:
    return all(one(text).input_ids == other(text).input_ids for text in PROBES)


def _load(kind: Any, reference: str | Path) -> Any:
    return kind.from_pretrained(str(reference), trust_remote_code=False, **source(reference))


def _check_against(raw: Tokenizer, tokenizer: Any, reference: str | Path) -> None:
    """ValueError where a tokenizer gives other ids, or other text for them, than its file."""
    raw.no_truncation()
    raw.no_padding()
    for text in PROBES:
        whole, plain = (raw.encode(text, add_special_tokens=special).ids for special in (True, False))
        same = (whole, plain) == (tokenizer(text).input_ids, tokenizer(text, add_special_tokens=False).input_ids)
        said = tokenizer.decode(plain, clean_up_tokenization_spaces=False)
        if not same or said != raw.decode(plain, skip_special_tokens=False):
            raise ValueError(
                f"the tokenizer of {str(reference)!r} does not give the ids of its tokenizer.json for {text!r}: see "
                "what tokenizer_config.json and the files beside it add to it"
            )


def _name_ends(tokenizer: Any, reference: str | Path) -> None:
    """Name the special tokens that the model's config.json names by their id only, as GPT-2's does."""
    config = settings_of(reference, "config.json")
    special = {index: token.content for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    for name in ("bos_token", "eos_token"):
        index = config.get(f"{name}_id")
        if getattr(tokenizer, name) is None and isinstance(index, int) and index in special:
            setattr(tokenizer, name, special[index])


def _check_ends(tokenizer: Any, reference: str | Path) -> None:
    """ValueError where special tokens stand behind every text, or one of them stands before it twice."""
    whole, plain = tokenizer("A text").input_ids, tokenizer("A text", add_special_tokens=False).input_ids
    before = leading_ids(tokenizer)
    behind = whole[len(before) :]
    if behind != plain:
        raise ValueError(
            f"the tokenizer of {str(reference)!r} puts {tokenizer.decode(whole[-1:])!r} behind every text, so that no "
            "prompt can be continued: see post_processor in its tokenizer.json"
        )
    if len(set(before)) < len(before):
        raise ValueError(
            f"the tokenizer of {str(reference)!r} puts {tokenizer.decode(before)!r} before every text, a special token "
            "twice: see post_processor in its tokenizer.json"
        )


def _auto_agrees(tokenizer: Any, reference: str) -> bool:
    """Whether AutoTokenizer, by which most other programs load it, gives the same ids."""
    # Its classes fail in many ways on a vocabulary that is not theirs, and the question is only whether it serves.
    with suppress(Exception), quiet():
        auto = _load(AutoTokenizer, reference)
        return bool(auto.get_vocab() == tokenizer.get_vocab()) and _same_ids(auto, tokenizer)
    return False
