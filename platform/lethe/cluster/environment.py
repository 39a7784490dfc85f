"""The variables by which a process finds Ray's cluster and files, and those that Lethe gives it. Imports no ray.

So what a user asks for is checked before Ray, which takes a second to load, is needed.
"""

import os
import sys
from pathlib import Path

# PyTorch's default allocator took 69 GiB of a GPU for 52 GiB of tensors (measurements/results/gpu-step.md).
ALLOCATOR = {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
# For this process and every one that Ray starts.
ENVIRONMENT = {
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",  # how often Train looks at its workers; 2 s would delay every start
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "10",  # for room for a group; an elastic one then tries a smaller size
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # one process less for each group; our trials do not use its news
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_DEDUP_LOGS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a worker that was given no GPU sees none, not all of them
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
    **ALLOCATOR,
}
# For a cluster that is started here: it lives and dies with this process.
LOCAL = {
    "RAY_worker_niceness": "0",  # at Ray's own 15, trials get next to nothing of a core that somebody else uses
    "RAY_worker_maximum_startup_concurrency": "16",  # a warm group is several light processes, not a mistake
    "RAY_prestart_worker_first_driver": "0",  # nothing here uses the idle workers that Ray would start for it
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",  # or Ray's agents outlive a driver that was killed by a minute
}


def joins() -> bool:
    """Whether there is a cluster to join, named by RAY_ADDRESS, as in a job."""
    return bool(os.environ.get("RAY_ADDRESS"))


def ray_variable() -> str | None:
    """The variable that says where Ray puts its files; None where none does.

    The rule is Ray's (ray/_common/utils.py in 2.60), which cannot be asked for it without loading all of Ray.
    """
    variables = ("RAY_TMPDIR", "TMPDIR") if sys.platform == "linux" else ("RAY_TMPDIR",)
    return next((name for name in variables if name in os.environ), None)


def ray_folder() -> Path:
    """The folder of Ray's files and sockets, if it is started here."""
    variable = ray_variable()
    return Path(os.environ[variable] if variable else "/tmp").absolute() / "ray"
