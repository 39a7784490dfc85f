"""No source of ours reads a file by a call that can run code that stands in the file; and this test would find one."""

import ast
import re

import pytest
from test_layout import each_source, tree_of

PICKLES = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle", "skops"}
UNSAFE = re.compile(
    r"eval|exec|builtins\.(eval|exec)"
    r"|torch\.(load|serialization\.load|jit\.load|export\.load|package\..*)"
    r"|torch\.hub\..*|torch\.utils\.model_zoo\..*"
    r"|torch\.distributed\.checkpoint(?!\.state_dict\b).*"  # its .metadata is a pickle
    r"|numpy\.(lib\.)?(npyio|format)\..*"
    r"|pandas\.(read_pickle|read_hdf|HDFStore)"
    r"|yaml\.(load|load_all|full_load\w*|unsafe_load\w*)"
    r"|accelerate\.(load_checkpoint\w*|.*\.load_checkpoint\w*)|ray\.cloudpickle\..*"
    r"|.*\.(read_pickle|to_pickle|load_state_dict_from_url|load_pickle)"
)
OFF = ("allow_pickle", "trust_remote_code", "trust_repo")
MODEL = re.compile(r"(.*\.)?(AutoModel\w*|\w+(ForCausalLM|LMHeadModel|PreTrainedModel))\.from_pretrained")


def unsafe(tree: ast.AST) -> list[str]:
    """Every place that names a loader of pickles, or hands one the leave to; by whatever name it was imported."""
    names = names_in(tree)
    return [ast.unparse(node) for node in ast.walk(tree) if is_unsafe(node, names)]


def is_unsafe(node: ast.AST, names: dict[str, str]) -> bool:
    if isinstance(node, ast.keyword) and node.arg in OFF:
        return not is_literally(node.value, False)
    if isinstance(node, ast.Import | ast.ImportFrom):
        origin = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        found = [f"{origin}.{alias.name}".strip(".") for alias in node.names]
        return any(module.split(".")[0] in PICKLES or UNSAFE.fullmatch(module) for module in found)
    if isinstance(node, ast.Call) and leaves_a_door_open(node, full_name(node.func, names)):
        return True
    if isinstance(node, ast.Name | ast.Attribute | ast.Call):
        name = full_name(node, names)
        return bool(name and (name.split(".")[0] in PICKLES or UNSAFE.fullmatch(name)))
    return False


def leaves_a_door_open(call: ast.Call, name: str | None) -> bool:
    """A call that reads pickles where it is not told not to, or is told to by position."""
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if name == "numpy.load":
        return len(call.args) > 2 or None in options
    if name and MODEL.fullmatch(name):
        return not is_literally(options.get("use_safetensors"), True)
    return False


def is_literally(node: ast.AST | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def names_in(tree: ast.AST) -> dict[str, str]:
    """What each name stands for that is imported anywhere in a file, or is another word for one that is."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            known = full_name(node.value, names)
            names |= {node.targets[0].id: known} if known else {}
    return names


def full_name(node: ast.AST, names: dict[str, str]) -> str | None:
    """`torch.load` for whatever stands for it: an alias, `getattr(torch, "load")`, `import_module("torch").load`."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        above = full_name(node.value, names)
        return f"{above or '?'}.{node.attr}"
    if isinstance(node, ast.Call):
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        called = full_name(node.func, names)
        if called == "getattr" and texts:
            return f"{full_name(node.args[0], names)}.{texts[0]}"
        if called in ("__import__", "importlib.import_module") and texts:
            return texts[0]
    return None


@each_source
def test_no_source_names_a_call_that_unpickles(file):
    assert unsafe(tree_of(file)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import torch\ntorch.load(f)",
        "import torch as t\nt.load(f, weights_only=True)",
        "from torch import load as l\nl(f)",
        "import torch\nread = torch.load\nread(f)",
        "import torch\nt = torch\nt.load(f)",
        "import torch\nmap(torch.load, files)",
        "import torch\ngetattr(torch, 'load')(f)",
        "import importlib\nimportlib.import_module('torch').load(f)",
        "__import__('pickle').loads(b)",
        "def f():\n    import pickle",
        "import cloudpickle as p",
        "from joblib import load",
        "from ray import cloudpickle\ncloudpickle.loads(b)",
        "from torch.distributed import checkpoint as dcp\ndcp.load(state)",
        "import torch.distributed.checkpoint as dcp\ndcp.load_state_dict(state, reader)",
        "from torch.distributed.checkpoint import load",
        "from torch.distributed.checkpoint.format_utils import dcp_to_torch_save",
        "import torch\ntorch.distributed.checkpoint.FileSystemReader(f)",
        "import torch\ntorch.jit.load(f)",
        "from torch.package import PackageImporter",
        "import torch\ntorch.hub.load(repo, name)",
        "import numpy as np\nnp.load(f, allow_pickle=True)",
        "import numpy as np\nnp.load(f, allow_pickle=option)",
        "import numpy\nnumpy.load(f, None, True)",
        "import numpy as np\nnp.load(f, **options)",
        "import pandas as pd\npd.read_pickle(f)",
        "from pandas import read_pickle as rp\nrp(f)",
        "frame.to_pickle(f)",
        "import pandas as pd\npd.read_hdf(f)",
        "import yaml\nyaml.load(f, Loader=yaml.Loader)",
        "from yaml import unsafe_load",
        "eval(text)",
        "import builtins\nbuiltins.exec(text)",
        "from transformers import AutoModelForCausalLM as M\nM.from_pretrained(f)",
        "import transformers\ntransformers.LlamaForCausalLM.from_pretrained(f, use_safetensors=None)",
        "AutoModelForCausalLM.from_pretrained(f, use_safetensors=True, trust_remote_code=True)",
        "AutoConfig.from_pretrained(f, trust_remote_code=asked)",
    ],
)
def test_a_call_that_unpickles_is_found_by_whatever_name(text):
    assert unsafe(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nnp.load(f)\nnp.load(f, allow_pickle=False)\nnp.load(f, 'r')",
        "from torch.distributed.checkpoint.state_dict import get_model_state_dict\nget_model_state_dict(m)",
        "from safetensors.torch import load_file\nload_file(f)",
        "import json, yaml\njson.load(f)\nyaml.safe_load(f)",
        "model.eval()\nstudy.load(f)\nload(f)",
        "from transformers import AutoModelForCausalLM as M\nM.from_pretrained(f, use_safetensors=True)",
        "from transformers import AutoTokenizer\nAutoTokenizer.from_pretrained(f, trust_remote_code=False)",
    ],
)
def test_what_does_not_unpickle_is_let_be(text):
    assert unsafe(ast.parse(text)) == []
