"""What a model has not is told by its configuration alone, before a run: the setting, its value, what is allowed."""

import pytest
from tiny import tiny_model
from transformers import GPT2Config

from trainables.failures import NoSuchWeights
from trainables.methods import METHODS, find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.npo import NPOGDR
from trainables.methods.rmu import RMU
from trainables.runs.weights import check_weights


@pytest.fixture
def four(tmp_path) -> str:
    """A model of four blocks, of which there is nothing but the configuration."""
    tiny_model(num_hidden_layers=4).config.save_pretrained(tmp_path)
    return str(tmp_path)


@pytest.mark.parametrize("layer", [4, 9])
def test_a_block_that_the_model_has_not_is_told_with_those_that_it_has(four, layer):
    with pytest.raises(
        NoSuchWeights, match=rf"^layer is {layer}: it must be one of the model's 4 blocks, counted from 0"
    ):
        check_weights(four, [RMU(layer=1), RMU(layer=layer)])


def test_every_block_that_it_has_will_do(four):
    check_weights(four, [RMU(layer=layer) for layer in range(4)])


def test_weights_that_its_blocks_have_not_are_told_by_their_name(tmp_path):
    GPT2Config(n_layer=3, n_embd=64, n_head=4).save_pretrained(tmp_path)
    with pytest.raises(NoSuchWeights, match=r"^block 0 of GPT2LMHeadModel has no down_proj to be trained$"):
        check_weights(str(tmp_path), [RMU(layer=1)])


def test_of_methods_that_ask_for_nothing_more_than_every_model_has_none_is_read():
    check_weights("no such folder", [MeanTeacher(), MeanTeacher(freeze=False), NPOGDR()])


def test_a_configuration_of_which_no_model_can_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama", "hidden_size": 30, "num_attention_heads": 0}')
    with pytest.raises(ValueError, match=r"^model '.*' (has no|cannot be made) [^\n]*$"):
        check_weights(str(tmp_path), [RMU()])


def test_of_several_methods_it_is_said_which_lacks_them(four):
    with pytest.raises(NoSuchWeights, match="^rmu: layer is 9: it must be one of the model's 4 blocks"):
        check_weights(four, [NPOGDR(), RMU(layer=9)])


@pytest.mark.parametrize("name", METHODS)
def test_a_setting_that_is_called_layer_is_known_to_number_a_block(name):
    assert all(allowed.block for setting, allowed in find_method(name).settings.allowed().items() if setting == "layer")
