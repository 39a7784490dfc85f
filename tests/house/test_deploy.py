"""The manifests of platform/deploy: what Ray and KubeRay read, run by the command of docs/cluster.md, and with no door open."""

import re
import shlex
import subprocess
from pathlib import Path

import jsonschema
import pytest
import ray
import typer
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from lethe_cli.tune import tune
from trainables.workers import group as workers

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "platform" / "deploy"
MANIFESTS = sorted(DEPLOY.glob("*.yaml"))
KUBERAY = [DEPLOY / "rayjob.yaml", DEPLOY / "raycluster.yaml"]
each_manifest = pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
each_kuberay = pytest.mark.parametrize("file", KUBERAY, ids=lambda file: file.name)


def only(required=(), **properties):
    """A JSON schema of an object that has these properties and no others."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def many(schema):
    return {"type": "array", "items": schema, "minItems": 1}


TEXT, COUNT, FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
# What KubeRay 1.7's resource definitions say about the fields that are used here, and Kubernetes about a pod.
VALUE_FROM = only(["secretKeyRef"], secretKeyRef=only(["name", "key"], name=TEXT, key=TEXT))
CONTAINER = only(
    ["name", "image", "resources"],
    name=TEXT,
    image=TEXT,
    securityContext=only(allowPrivilegeEscalation={"const": False}),
    env=many(only(["name"], name=TEXT, value=TEXT, valueFrom=VALUE_FROM)),
    ports=many(only(["containerPort"], name=TEXT, containerPort=COUNT)),
    resources=only(["requests", "limits"], requests=TEXTS, limits=TEXTS),
    volumeMounts=many(only(["name", "mountPath"], name=TEXT, mountPath=TEXT)),
)
CLAIM = only(["claimName"], claimName=TEXT)
POD = only(
    ["containers", "securityContext"],
    automountServiceAccountToken={"const": False},
    securityContext=only(["runAsNonRoot"], runAsNonRoot={"const": True}, runAsUser={"minimum": 1}, fsGroup=COUNT),
    containers=many(CONTAINER),
    volumes=many(only(["name"], name=TEXT, persistentVolumeClaim=CLAIM)),
)
TEMPLATE = only(["spec"], spec=POD)
HEAD = only(
    ["rayStartParams", "template", "serviceType"],
    serviceType={"const": "ClusterIP"},
    rayStartParams=TEXTS,
    template=TEMPLATE,
)
WORKERS = only(
    ["groupName", "rayStartParams", "template"],
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    rayStartParams=TEXTS,
    template=TEMPLATE,
)
CLUSTER = only(
    ["headGroupSpec", "workerGroupSpecs", "authOptions", "rayVersion"],
    rayVersion=TEXT,
    authOptions=only(["mode"], mode={"const": "token"}),
    headGroupSpec=HEAD,
    workerGroupSpecs=many(WORKERS),
)
JOB = only(
    ["entrypoint", "rayClusterSpec"],
    entrypoint=TEXT,
    runtimeEnvYAML=TEXT,
    backoffLimit=COUNT,
    shutdownAfterJobFinishes=FLAG,
    ttlSecondsAfterFinished=COUNT,
    rayClusterSpec=CLUSTER,
)
SPECS = {"RayJob": JOB, "RayCluster": CLUSTER}


def documents(file):
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def ray_cluster(file):
    """The cluster's specification in a manifest of KubeRay's."""
    spec = documents(file)[0]["spec"]
    return spec.get("rayClusterSpec", spec)


def pods(file):
    """The head's pod, and each worker group's."""
    groups = [ray_cluster(file)["headGroupSpec"], *ray_cluster(file)["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def cluster_yaml():
    return yaml.safe_load((DEPLOY / "cluster.yaml").read_text("utf-8"))


@each_kuberay
def test_a_manifest_of_kuberay_s_has_known_fields_only_and_those_that_it_needs(file):
    first, claim = documents(file)
    assert first["apiVersion"] == "ray.io/v1"
    jsonschema.validate(first["spec"], SPECS[first["kind"]])
    assert (claim["kind"], claim["spec"]["accessModes"]) == ("PersistentVolumeClaim", ["ReadWriteMany"])
    for pod in pods(file):
        assert [volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]] == [
            claim["metadata"]["name"]
        ]
        assert {m["name"] for c in pod["containers"] for m in c["volumeMounts"]} == {v["name"] for v in pod["volumes"]}


def test_both_manifests_of_kuberay_s_describe_the_same_cluster():
    assert ray_cluster(KUBERAY[0]) == ray_cluster(KUBERAY[1])


def test_the_launcher_s_file_passes_ray_s_own_validation():
    validate_config(prepare_config(cluster_yaml()))


@each_kuberay
def test_ray_s_version_is_the_one_that_is_pinned(file):
    assert ray_cluster(file)["rayVersion"] == ray.__version__ == pinned("ray")


def pinned(package):
    return re.search(rf"^{package}==(.+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)[1]


@each_kuberay
def test_the_cluster_is_of_a_fixed_size_and_its_head_runs_drivers_only(file):
    for group in ray_cluster(file)["workerGroupSpecs"]:
        assert group["replicas"] == group["minReplicas"] == group["maxReplicas"] > 0
    assert ray_cluster(file)["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert next(iter(workers.HEAD)) in file.read_text("utf-8")  # the resource that drivers are pinned to, explained


def test_the_launcher_s_cluster_is_of_a_fixed_size_and_its_head_runs_drivers_only():
    config = cluster_yaml()
    kinds = config["available_node_types"]
    assert kinds[config["head_node_type"]]["resources"]["CPU"] == 0
    workers = [kind for name, kind in kinds.items() if name != config["head_node_type"]]
    assert all(kind["min_workers"] == kind["max_workers"] for kind in workers)
    assert sum(kind["max_workers"] for kind in workers) == config["max_workers"]


@each_manifest
def test_no_manifest_opens_the_dashboard_to_the_outside(file):
    text = "\n".join(line.split("#")[0] for line in file.read_text("utf-8").splitlines())
    assert not re.search(r"0\.0\.0\.0|LoadBalancer|NodePort|hostPort|hostNetwork|[iI]ngress|security_group", text)
    assert {document["kind"] for document in documents(file) if "kind" in document} <= {
        "RayJob", "RayCluster", "PersistentVolumeClaim"
    }  # fmt: skip
    for start in re.findall(r"ray start --head.*", text):
        assert "--dashboard-host=127.0.0.1" in start


def test_the_launcher_s_nodes_ask_for_the_token_that_is_copied_to_them():
    config = cluster_yaml()
    starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    assert all("RAY_AUTH_MODE=token" in command for command in starts if "ray start" in command)
    assert config["file_mounts"]["/home/ray/.ray/auth_token"] == "~/.ray/auth_token"


@each_manifest
def test_no_manifest_holds_a_secret(file):
    text = file.read_text("utf-8")
    assert set(re.findall(r"//[^/\s:]+:([^@\s]+)@", text)) <= {"PASSWORD"}
    assert "stringData" not in text
    assert not re.search(r"AKIA|BEGIN .*KEY|token: [^~\s]\S{8,}", text)


@each_kuberay
def test_the_storage_s_url_comes_from_a_secret_and_goes_to_the_driver_s_pod_alone(file):
    head, *workers = pods(file)
    from_secret = {e["name"]: e["valueFrom"]["secretKeyRef"] for e in environment(head) if "valueFrom" in e}
    assert from_secret == {"LETHE_STORAGE": {"name": "lethe-storage", "key": "url"}}
    assert f"secret generic {from_secret['LETHE_STORAGE']['name']} --from-literal=url=" in file.read_text("utf-8")
    assert all("valueFrom" not in entry for pod in workers for entry in environment(pod))


def test_a_search_reads_the_storage_from_that_variable():
    (storage,) = (parameter for parameter in click_command().params if "--storage" in parameter.opts)
    assert storage.envvar == "LETHE_STORAGE"


def environment(pod):
    return [entry for container in pod["containers"] for entry in container.get("env", [])]


def command(file):
    """The search that a manifest runs, or that its first comment says to submit, as arguments behind `python`."""
    document = documents(file)[0]
    if "entrypoint" in document.get("spec", {}):
        return shlex.split(document["spec"]["entrypoint"])[1:]
    comment = "\n".join(
        line.removeprefix("#").strip() for line in file.read_text("utf-8").splitlines() if line[0] == "#"
    )
    line = next(line for line in comment.replace("\\\n", "").splitlines() if "tune_mt.py" in line)
    return shlex.split(line.split(" python ")[1])


@each_manifest
def test_the_commands_have_flags_that_exist_and_go_on_with_a_study_on_the_shared_volume(file):
    known = {flag for parameter in click_command().params for flag in parameter.opts}
    script, *flags = command(file)
    assert (ROOT / script).is_file()
    assert {part for part in flags if part.startswith("-")} <= known
    assert "--resume" in flags
    assert flags[flags.index("--storage-path") + 1].startswith("/lethe/")


def click_command():
    app = typer.Typer()
    app.command()(tune)
    return typer.main.get_command(app)


def test_the_job_submits_the_checkout_that_lies_in_the_image():
    working_dir = yaml.safe_load(documents(KUBERAY[0])[0]["spec"]["runtimeEnvYAML"])["working_dir"]
    assert instructions("WORKDIR") == [working_dir]


def instructions(name):
    """The arguments of all instructions of this name in the Dockerfile."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text("utf-8"))
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"{name} ")]


def test_the_image_s_base_is_pinned_to_ray_s_version():
    (base,) = instructions("FROM")
    assert base == f"rayproject/ray:{pinned('ray')}-py311"


def test_the_image_is_built_and_run_by_a_user_who_is_not_root():
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert instructions("USER") == ["ray"]
    assert text.index("\nUSER ray") < min(text.index("\nCOPY"), text.index("\nRUN"))
    assert "sudo" not in text


def test_the_image_takes_only_what_is_tracked_and_all_that_a_search_needs():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    copied = [part for line in instructions("COPY") for part in line.split()[1:-1]]
    assert all(any(file == name or file.startswith(f"{name}/") for file in tracked) for name in copied)
    assert {"platform", "trainables", "search_spaces", "pyproject.toml", "constraints.txt"} <= set(copied)
    assert "." not in copied


def test_the_image_has_the_pinned_dependencies_and_postgresql_s_but_no_installed_copy_of_lethe_and_no_secret():
    (run,) = instructions("RUN")
    assert '-c constraints.txt ".[postgres]"' in run
    assert "pip uninstall --yes lethe-tune" in run
    assert not re.search(r"(?i)password|secret|token", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert instructions("ARG") == []


@each_kuberay
def test_the_nodes_run_the_image_of_the_dockerfile(file):
    built = re.search(r"docker build .* -t (\S+) \.", (DEPLOY / "Dockerfile").read_text("utf-8"))[1]
    assert {container["image"] for pod in pods(file) for container in pod["containers"]} == {built}
    assert cluster_yaml()["docker"]["image"] == built
