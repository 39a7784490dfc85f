"""The memory plan against hand-computed Llama-2-7B numbers, and against the bytes of real runs of small models."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from live_bytes import LiveBytes, size
from seven import BIG, seven_config, seven_folder, seven_shape
from tiny import tiny_model
from torch.autograd.graph import saved_tensors_hooks
from transformers import Gemma4TextConfig, GPT2Config, GPTNeoXConfig, MambaConfig, RwkvConfig

from trainables.losses import logits as losses
from trainables.memory.plan import BACKWARD, GIB, LOSS, SCORING, UPDATE, Unplanned, plan, read_shape, saved, shape_of
from trainables.method import Evaluated
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.dpo import DPO
from trainables.methods.ga import GAGDR, GAKLR
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.muse import NPOMuse
from trainables.methods.npo import NPOGDR, NPOKLR
from trainables.methods.rmu import RMU
from trainables.training.trainable import freeze

SEVEN, FROZEN = 6_738_415_616, 2 * 32000 * 4096 + 65 * 4096  # parameters; embeddings, head and 65 norms
BLOCK = 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 4096


def wide_model(**overrides):
    """Wide enough that weights count, small enough to run: grouped heads, a padding token."""
    return tiny_model(hidden_size=64, intermediate_size=176, max_position_embeddings=512, **overrides)


def test_a_7b_shape_is_read_from_a_folder_with_nothing_but_its_configuration(tmp_path):
    shape = read_shape(seven_folder(tmp_path))
    assert (shape.elements(), shape.elements(trainable=True)) == (SEVEN, SEVEN - FROZEN)
    assert (shape.block, shape.root) == (BLOCK, 2 * 32000 * 4096 + 4096)
    assert shape == seven_shape()


def test_a_7b_on_eight_workers_by_hand():
    needed = plan(seven_shape(), BIG, 8)
    loss, backward, update, scoring = (needed.phases[phase] for phase in (LOSS, BACKWARD, UPDATE, SCORING))
    assert loss["weights"] == loss["teacher"] == 4 * SEVEN // 8  # every tensor's rows divide by 8
    assert loss["gradients"] == loss["optimizer state"] == update["update"] == 4 * (SEVEN - FROZEN) // 8
    assert loss["gathered weights"] == 2 * (2 * 32000 * 4096 + 4096 + 3 * BLOCK) + 10 * BLOCK
    tokens = 5 * 1024
    assert loss["activations"] == tokens * (32 * 2 * 4096 + 4 * 4096 + 4)
    one = 2 * (4 * 4096 + 4) + 4 * 4096 + 8 * 4096 + 4 * 32 + 2 * 1024 + 8 * 11008
    assert backward["activations"] == loss["activations"] + 2 * tokens * one
    logits = tokens * 32000 * 2
    assert (loss["logits"], backward["logits"]) == (3 * logits + 8 * 4 * 5 * 128 * 32000, 2 * logits)
    assert scoring["gathered weights"] == 2 * (SEVEN + BLOCK)
    assert scoring["key-value cache"] == 13 * 1152 * 2 * 32 * 4096 * 2 * 7 // 4  # 100 prompts on 8 workers
    assert "gradients" not in scoring
    assert needed.worst == SCORING
    assert 35 * GIB < needed.peak < 45 * GIB


def test_ddp_holds_models_whole_and_shares_frozen_tensors():
    for workers in (1, 8):
        loss = plan(seven_shape(), replace(BIG, parallel="ddp"), workers).phases[LOSS]
        assert (loss["weights"], loss["teacher"]) == (4 * SEVEN, 4 * (SEVEN - FROZEN))


def test_fsdp_on_one_worker_is_what_it_is_without():
    assert plan(seven_shape(), BIG, 1) == plan(seven_shape(), replace(BIG, parallel="ddp"), 1)


def test_adamw_keeps_two_moments_and_sgd_without_momentum_none():
    state = {
        name: plan(seven_shape(), replace(BIG, **settings), 8).phases[LOSS]["optimizer state"]
        for name, settings in {"adamw": {"optimizer": "adamw"}, "sgd": {}, "plain": {"momentum": 0.0}}.items()
    }
    assert state == {"adamw": 2 * state["sgd"], "sgd": 4 * (SEVEN - FROZEN) // 8, "plain": 0}


def test_rmu_on_a_7b_goes_through_the_blocks_up_to_its_layer_and_keeps_those_that_it_trains_by_hand():
    config = RMU(layer=7, precision="bf16", batch_size=4, micro_batch_size=4, max_length=512)
    shape = shape_of(seven_config(), trainable=needs_of(config).trainable)
    trained = 3 * 4096 * 11008  # down_proj of blocks 5, 6 and 7
    assert (shape.first, shape.elements(trainable=True)) == (5, trained)
    needed, alone = (plan(shape, c).phases[LOSS] for c in (config, replace(config, alpha=0.0)))
    assert (needed["weights"], needed["gradients"], needed["optimizer state"]) == (4 * SEVEN, 4 * trained, 8 * trained)
    assert (needed["teacher"], alone["teacher"]) == (4 * trained, 0)
    one = 2 * (4 * 4096 + 4) + 10 * 4096 + 8 * 4096 + 4 * 32 + 2 * 512 + 8 * 11008
    assert needed["activations"] == 4 * 512 * (3 * one + 4 * 4096 + 4)
    assert needed["gathered weights"] == 2 * (SEVEN - 29 * BLOCK)
    assert needed["logits"] == 0


@pytest.mark.parametrize("layer", [0, 1, 2, 31])
def test_no_more_blocks_are_planned_for_rmu_than_it_trains(layer):
    config = RMU(layer=layer, checkpointing=True, max_length=100)
    shape = shape_of(seven_config(), trainable=needs_of(config).trainable)
    kept = saved(shape, config, 1, sharded=False)
    assert kept == 100 * (min(layer + 1, 3) * 4 * 4096 + 4 * 4096 + 4)
    assert saved(shape, replace(config, freeze=False), 1, sharded=False) == kept  # which is of no effect


@pytest.mark.parametrize(
    ("config", "copies"),
    [
        (GAGDR(), 0),
        (GAKLR(), 1),
        (GAKLR(retain_weight=0.0), 0),
        (NPOKLR(), 1),
        (NPOMuse(retain_term="none"), 1),
        (NPOMuse(retain_term="klr_muse"), 1),  # which both terms read
    ],
)
def test_the_target_is_planned_once_where_a_term_compares_with_its_logits_and_its_logits_with_it(config, copies):
    planned = plan(seven_shape(), config).phases[LOSS]
    alone = plan(seven_shape(), NPOGDR()).phases[LOSS]
    assert planned["teacher"] == copies * 4 * (SEVEN - FROZEN)
    assert (planned["logits"] > alone["logits"]) == bool(copies)
    assert planned["optimizer state"] == alone["optimizer state"]


def test_the_host_holds_no_copy_for_a_method_that_makes_none():
    config = NPOGDR(batch_size=8)
    assert plan(seven_shape(), config, 4).host == 4 * 4 * 2 * SEVEN
    assert plan(seven_shape(), config, 1).host == 4 * 2 * SEVEN
    for alpha, copies in ((1.0, 1), (0.0, 0)):
        rmu = RMU(layer=7, alpha=alpha)
        shape = shape_of(seven_config(), trainable=needs_of(rmu).trainable)
        assert plan(shape, rmu, 4).host == 4 * 4 * (2 * SEVEN + copies * 3 * 4096 * 11008)


def test_the_host_holds_target_student_and_teacher_of_every_worker_of_a_node():
    trainable = SEVEN - FROZEN
    assert plan(seven_shape(), BIG, 8).host == 8 * 4 * (2 * SEVEN + trainable)
    assert plan(seven_shape(), BIG, 16).host == plan(seven_shape(), BIG, 8).host  # two nodes
    assert plan(seven_shape(), BIG, 8, per_node=4).host == 4 * 4 * (2 * SEVEN + trainable)


def test_the_host_holds_what_mixtures_and_adapters_set_aside():
    trainable = SEVEN - FROZEN
    mixing = NPOGDR(mixes=3)
    assert plan(seven_shape(), mixing, 1).host == 4 * (2 * SEVEN + trainable)  # the target's weights, from the start
    assert plan(seven_shape(), mixing, 4).host == 4 * 4 * (SEVEN + 2 * trainable) + 4 * SEVEN
    shape = shape_of(seven_config(), trainable="lora:8:2.0")
    whole = SEVEN + shape.elements(trainable=True)
    assert plan(shape, NPOGDR(lora_rank=8), 4).host == 4 * 4 * 2 * whole + 4 * whole


def test_with_adapters_only_their_numbers_have_gradients_moments_and_a_teacher():
    widths = 4 * (4096 + 4096) + 3 * (4096 + 11008)  # of A and B, for each of the seven matrices of a block
    shape = shape_of(seven_config(), trainable="lora:16:2.0")
    adapters = 16 * 32 * widths
    assert shape.elements(trainable=True) == adapters
    assert shape.elements() == SEVEN + adapters
    for settings in (MeanTeacher(lora_rank=16, optimizer="adamw"), NPOGDR(lora_rank=16)):
        loss = plan(shape, settings).phases[LOSS]
        assert loss["weights"] == 4 * (SEVEN + adapters)
        assert (loss["gradients"], loss["optimizer state"]) == (4 * adapters, 8 * adapters)
        assert loss["teacher"] == (4 * adapters if settings.method == "mean_teacher" else 0)


def test_of_sequences_that_are_drawn_as_one_at_least_all_of_a_draw_are_planned_at_once():
    def rows(**settings) -> float:
        planned = plan(seven_shape(), DPO(**settings)).phases[LOSS]["activations"]
        return planned / plan(seven_shape(), NPOGDR(micro_batch_size=1)).phases[LOSS]["activations"]

    assert rows(micro_batch_size=1) == rows(micro_batch_size=2) == 2
    assert rows(micro_batch_size=8, batch_size=2) == 4  # two draws of two
    assert rows(micro_batch_size=8, batch_size=8) == 8


def test_scoring_is_planned_with_the_batch_that_the_run_takes():
    shape = shape_of(wide_model().config)
    small, large = (plan(shape, MeanTeacher(score_batch=size)).phases[SCORING]["key-value cache"] for size in (5, 50))
    assert large == 10 * small


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_parameters_gradients_state_and_teacher_are_the_bytes_of_a_real_step(optimizer):
    model, config = wide_model(), MeanTeacher(optimizer=optimizer, steps=2, eval_every=1, batch_size=2, max_length=32)
    sequences = [list(range(3, 35))] * 4
    evaluated, _ = [
        record for record in unlearn(model, sequences, sequences, config, pad=2) if isinstance(record, Evaluated)
    ]
    student, teacher = evaluated.state.models.values()
    there = {p.data_ptr() for p in student.parameters()}
    own = [p for p in teacher.parameters() if p.data_ptr() not in there]
    moments = [
        t for state in evaluated.state.optimizer.state.values() for t in state.values() if t is not None and t.dim()
    ]
    held = plan(shape_of(model.config), config).phases[LOSS]
    assert held["weights"] == size(student.parameters())
    assert held["teacher"] == size(own)
    assert held["optimizer state"] == size(moments)
    assert held["gradients"] == size(p for p in student.parameters() if p.requires_grad)


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("case", ["fp32", "ddp bf16", "fsdp bf16", "unfrozen"])
def test_what_a_forward_pass_saves_is_what_the_plan_says(case, checkpointing):
    """FSDP computes with bf16 weights, ddp by autocast; a row of the batch is padded, so that a mask is there."""
    config = MeanTeacher(
        precision="fp32" if case in ("fp32", "unfrozen") else "bf16",
        checkpointing=checkpointing,
        freeze=case != "unfrozen",
        max_length=200,
    )
    model = wide_model(num_hidden_layers=4).train()
    if config.freeze:
        freeze(model)
    model = model.bfloat16() if case == "fsdp bf16" else model
    found = saved_bytes(model, config, autocast=case == "ddp bf16")
    planned = saved(shape_of(model.config), config, 4, sharded=case == "fsdp bf16")
    # What else is there: autocast's copies of weights are gathered weights, and a cosine and sine for each position.
    extra = 2 * sum(p.numel() for p in model.parameters()) if case == "ddp bf16" and not checkpointing else 0
    assert planned * 0.95 <= found <= planned * 1.1 + extra


def saved_bytes(model, config, *, autocast: bool) -> int:
    """The bytes of the distinct tensors that autograd keeps, parameters and logits not counted."""
    if config.checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    own, kept = {p.untyped_storage().data_ptr() for p in model.parameters()}, {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    ids = torch.randint(3, 300, (4, config.max_length), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 150:] = 0
    with (
        saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=autocast),
    ):
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    assert logits.requires_grad
    return sum(storage.nbytes() for storage in kept.values())


@pytest.fixture(autouse=True, scope="module")
def large():
    """As of models whose logits are no longer small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(losses, "SMALL", 0)
        yield


def live_bytes(model, config) -> LiveBytes:
    """What lived during a run on sequences of 160 tokens."""
    sequences = [[3 + i % 200 for i in range(160)]] * 8
    live = LiveBytes()
    for parameter in model.parameters():
        live.add(parameter)
    with live:
        for _ in unlearn(model, sequences, sequences, config, pad=2):
            pass
    return live


@pytest.mark.parametrize(
    "settings",
    [{}, {"checkpointing": True}, {"precision": "bf16"}, {"penalty": "gdr"}, {"lora_rank": 4}, {"lora_rank": 32}],
)
@pytest.mark.parametrize(
    "shape",
    [
        {"num_hidden_layers": 8},
        {"num_hidden_layers": 2, "vocab_size": 4000},
        {"num_hidden_layers": 4, "hidden_size": 256, "intermediate_size": 688},
    ],
    ids=["deep", "many words", "wide"],
)
def test_a_real_run_never_needs_more_than_the_plan_and_not_much_less(shape, settings):
    model = tiny_model(**({"hidden_size": 64, "intermediate_size": 176, "num_key_value_heads": 4} | shape))
    config = MeanTeacher(batch_size=4, micro_batch_size=4, steps=3, eval_every=9, max_length=160, **settings)
    live = live_bytes(model, config)
    phases = plan(shape_of(model.config, trainable=needs_of(config).trainable), config).phases
    planned = max(sum(phases[phase].values()) - phases[phase]["reserve"] for phase in (LOSS, BACKWARD, UPDATE))
    assert live.most - 4096 <= planned <= 1.7 * live.most  # a page for the random state


@pytest.mark.parametrize(
    "settings", [{}, {"checkpointing": True}, {"precision": "bf16"}, {"alpha": 0.0}, {"layer": 4}, {"optimizer": "sgd"}]
)
def test_a_real_run_of_rmu_never_needs_more_than_the_plan_and_not_twice_as_little(settings):
    model = tiny_model(hidden_size=64, intermediate_size=176, num_key_value_heads=4, num_hidden_layers=8)
    lengths = {"batch_size": 4, "micro_batch_size": 4, "max_length": 160}
    config = RMU(**({"layer": 7, "steps": 3, "eval_every": 9} | lengths | settings))
    live = live_bytes(model, config)
    phases = plan(shape_of(model.config, trainable=needs_of(config).trainable), config).phases
    planned = max(sum(phases[phase].values()) - phases[phase]["reserve"] for phase in (LOSS, BACKWARD, UPDATE))
    assert live.most - 4096 <= planned <= 1.9 * live.most


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("undial", {}),
        ("undial", {"precision": "bf16"}),
        ("ceu", {}),
        ("ceu", {"precision": "bf16"}),
        ("me_gd", {"retain_term": "klr"}),
        ("pdu", {}),
        ("pdu", {"precision": "bf16"}),
    ],
)
def test_a_real_run_of_a_forget_and_a_retain_term_never_needs_more_than_the_plan_and_not_much_less(name, settings):
    words = {"num_hidden_layers": 2, "vocab_size": 4000}  # logits are most of it
    model = tiny_model(hidden_size=64, intermediate_size=176, num_key_value_heads=4, **words)
    lengths = {"batch_size": 4, "micro_batch_size": 4, "max_length": 160}
    config = find_method(name).settings(**(lengths | {"steps": 3, "eval_every": 9} | settings))
    live = live_bytes(model, config)
    phases = plan(shape_of(model.config), config).phases
    planned = max(sum(phases[phase].values()) - phases[phase]["reserve"] for phase in (LOSS, BACKWARD, UPDATE))
    assert live.most - 4096 <= planned <= 1.8 * live.most


workers = st.integers(2, 64)
configs = st.builds(
    MeanTeacher,
    parallel=st.just("fsdp"),
    precision=st.sampled_from(["fp32", "bf16"]),
    checkpointing=st.booleans(),
    optimizer=st.sampled_from(["sgd", "adamw"]),
    penalty=st.sampled_from(["kl", "gdr", "none"]),
    batch_size=st.integers(1, 64),
    micro_batch_size=st.integers(1, 16),
    max_length=st.sampled_from([64, 1024, 4096]),
)


@given(config=configs, some=workers, more=workers)
def test_with_fsdp_more_workers_never_need_more_per_gpu(config, some, more):
    few, many = sorted((some, more))
    a, b = (plan(seven_shape(), config, count) for count in (few, many))
    assert all(b.need(phase) <= a.need(phase) for phase in a.phases)


@given(config=configs, count=workers)
def test_with_ddp_weights_do_not_shrink_and_fsdp_holds_no_more(config, count):
    whole = plan(seven_shape(), replace(config, parallel="ddp"), count).phases[LOSS]
    shards = plan(seven_shape(), config, count).phases[LOSS]
    assert whole["weights"] == 4 * SEVEN
    assert all(shards[part] < whole[part] for part in ("weights", "teacher", "gradients", "optimizer state"))


@given(config=configs, longer=st.sampled_from([128, 2048, 8192]))
def test_the_longer_of_both_sets_sequences_is_planned_for(config, longer):
    found = plan(seven_shape(), replace(config, regularisation_length=longer))
    assert found == plan(seven_shape(), replace(config, max_length=max(config.max_length, longer)))


@given(config=configs, count=workers)
def test_checkpointing_lowers_activations_and_nothing_else(config, count):
    with_it = plan(seven_shape(), replace(config, checkpointing=True), count)
    without = plan(seven_shape(), replace(config, checkpointing=False), count)
    for phase in (LOSS, BACKWARD):
        less, more = dict(with_it.phases[phase]), dict(without.phases[phase])
        assert less.pop("activations") < more.pop("activations") / 2
        assert {k: v for k, v in less.items() if k != "reserve"} == {k: v for k, v in more.items() if k != "reserve"}


def test_other_families_have_a_shape_too():
    for config in (
        GPT2Config(n_layer=2, n_embd=64, n_head=4),
        GPTNeoXConfig(num_hidden_layers=2, hidden_size=64, num_attention_heads=4),
    ):
        shape = shape_of(config)
        assert shape.layers * shape.block + shape.root == shape.elements() > shape.elements(trainable=True) > 0


@pytest.mark.parametrize("config", [MambaConfig(hidden_size=32, num_hidden_layers=2), RwkvConfig(hidden_size=32)])
def test_an_architecture_without_attention_heads_is_told_in_one_line(config):
    with pytest.raises(
        Unplanned, match=f"^the memory of a model of type {config.model_type} cannot be planned: "
    ) as told:
        shape_of(config)
    assert "num_attention_heads" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_size_that_differs_from_layer_to_layer_is_told_in_one_line():
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
    words = {"vocab_size": 300, "vocab_size_per_layer_input": 300}
    config = Gemma4TextConfig(**sizes, **words, head_dim=8, num_hidden_layers=2, num_kv_shared_layers=0)
    with pytest.raises(Unplanned, match="^the memory of a model of type gemma4_text cannot be planned: 'head_dim' is"):
        shape_of(config)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": "wide"}, "field 'hidden_size': TypeError: .*'wide'"),
        ({"num_attention_heads": 0}, "by zero"),
        ({"layer_types": ["none"]}, "validator 'validate_layer_type': .*none"),
    ],
)
def test_a_configuration_that_transformers_does_not_take_is_told_in_one_line(tmp_path, settings, message):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"} | settings))
    with pytest.raises(ValueError, match=f"^model '.*' has no configuration that can be read: .*{message}") as caught:
        read_shape(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_configuration_is_told_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="has no configuration that can be read: ") as caught:
        read_shape(tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_is_allocated_for_a_model_of_any_size():
    config = seven_config()
    config.num_hidden_layers = 200
    assert shape_of(config).elements() > 40e9


def test_a_mask_is_a_copy_of_what_is_trained_and_a_byte_for_each_of_it():
    masked, plain = (plan(seven_shape(), NPOGDR(mask=mask)).phases[LOSS] for mask in ("wagle", "none"))
    assert masked["mask"] == 5 * seven_shape().elements(trainable=True)
    assert {part: size for part, size in masked.items() if part not in ("mask", "reserve")} == {
        part: size for part, size in plain.items() if part != "reserve"
    }
