#!/usr/bin/env python3
"""Measures `nexafi-gen lint` on corpora that it writes itself, and Checkov on the same files where it is given.

    cargo build --release
    python3 benches/measure.py target/release/nexafi-gen [--checkov PATH] [--runs N] [--only WORD]

Prints one row for each corpus and size: wall time (median of the runs), CPU time, peak memory, input in MB/s, and how wall
time grew since the smallest size. Checkov judges the same files in the same run: one module, a repository of a hundred, and
a hundred manifests. Nothing is kept: the corpora are written to a temporary directory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def text(name):
    with open(os.path.join(HERE, name)) as file:
        return file.read()


VARIABLES = text("variables.tf.in")
# `benches/speed.rs` makes the same corpora of these.
BLOCKS = text("blocks.tf.in")
# Resources of one piece.
PIECE = 10
MANIFEST = text("manifest.yaml.in")
SPACES = 50


def module(directory, resources):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "main.tf"), "w") as file:
        file.write(VARIABLES + "\n".join(BLOCKS.replace("@N@", str(n)) for n in range(resources // PIECE)))


def modules(directory, count):
    for n in range(count):
        module(os.path.join(directory, f"m{n // 100}", f"module-{n}"), 20)


def manifests(directory, count):
    for n in range(count):
        place = os.path.join(directory, f"d{n // 500}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, f"app-{n}.yaml"), "w") as file:
            file.write(MANIFEST.replace("@N@", str(n)).replace("@S@", str(n % SPACES)))


def planned(n):
    """Three resources as a plan has them: arguments that are known, what is known after apply, what is sensitive."""
    tags = {"Name": f"thing-{n}", "Environment": "production", "Owner": "platform", "CostCenter": "4711"}
    provider = "registry.terraform.io/hashicorp/aws"
    key = {
        "description": f"key {n}", "enable_key_rotation": True, "deletion_window_in_days": 30, "is_enabled": True,
        "key_usage": "ENCRYPT_DECRYPT", "customer_master_key_spec": "SYMMETRIC_DEFAULT", "custom_key_store_id": None,
        "bypass_policy_lockout_safety_check": False, "timeouts": None, "xks_key_id": None, "tags": tags, "tags_all": tags,
    }  # fmt: skip
    group = {
        "name": f"group-{n}", "description": f"Group {n}", "vpc_id": "vpc-0123456789abcdef0", "revoke_rules_on_delete": False,
        "timeouts": None, "tags": tags, "tags_all": tags,
        "ingress": [{
            "cidr_blocks": ["10.0.0.0/16"], "description": "https", "from_port": 443, "to_port": 443, "protocol": "tcp",
            "ipv6_cidr_blocks": [], "prefix_list_ids": [], "security_groups": [], "self": False,
        }],
    }  # fmt: skip
    database = {
        "identifier": f"db-{n}", "engine": "postgres", "instance_class": "db.t4g.medium", "allocated_storage": 20,
        "storage_encrypted": True, "username": "admin", "password": f"not-shown-{n}", "skip_final_snapshot": False,
        "multi_az": True, "publicly_accessible": False, "copy_tags_to_snapshot": True, "deletion_protection": True,
        "iam_database_authentication_enabled": True, "tags": tags, "tags_all": tags,
    }  # fmt: skip
    unknown = {"id": True, "arn": True, "tags": {}, "tags_all": {}}
    for type_, name, values, after, hidden in [
        ("aws_kms_key", "k", key, {**unknown, "key_id": True, "policy": True, "rotation_period_in_days": True}, {}),
        ("aws_security_group", "g", group, {**unknown, "egress": True, "owner_id": True, "name_prefix": True}, {}),
        ("aws_db_instance", "d", database, {**unknown, "kms_key_id": True, "address": True}, {"password": True}),
    ]:
        sensitive = {"tags": {}, "tags_all": {}, **hidden}
        address = f'module.part["{n // 300}"].{type_}.{name}{n}'
        one = {"address": address, "mode": "managed", "type": type_, "name": f"{name}{n}", "provider_name": provider}
        yield (
            {**one, "schema_version": 1, "values": values, "sensitive_values": sensitive},
            {
                **one,
                "module_address": f'module.part["{n // 300}"]',
                "change": {
                    "actions": ["create"], "before": None, "after": values, "after_unknown": after,
                    "before_sensitive": False, "after_sensitive": sensitive,
                },
            },
        )  # fmt: skip


def plan(directory, megabytes):
    """What `terraform show -json PLAN` prints, about so many megabytes of it.

    The form: https://developer.hashicorp.com/terraform/internals/json-format
    """
    os.makedirs(directory, exist_ok=True)
    kinds = [("aws_kms_key", "k", ["description", "enable_key_rotation"]), ("aws_security_group", "g", ["name", "vpc_id"])]
    kinds.append(("aws_db_instance", "d", ["identifier", "engine", "kms_key_id"]))
    configured = [
        {
            "address": f"{type_}.{name}", "mode": "managed", "type": type_, "name": name, "provider_config_key": "aws",
            "expressions": {argument: {"references": [f"var.{argument}"]} for argument in arguments}, "schema_version": 1,
        }
        for type_, name, arguments in kinds
    ]  # fmt: skip
    numbers, length = 0, 0
    children, changes = {}, []
    while length < megabytes * 1_000_000:
        for resource, change in planned(numbers):
            children.setdefault(numbers // 300, []).append(json.dumps(resource))
            changes.append(json.dumps(change))
            length += len(children[numbers // 300][-1]) + len(changes[-1])
        numbers += 1
    head = {"format_version": "1.2", "terraform_version": "1.11.4", "variables": {"stage": {"value": "production"}}}
    prior = {"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": {}}}
    calls = {"part": {"source": "./part", "for_each_expression": {}, "module": {"resources": configured}}}
    provider = {"name": "aws", "full_name": "registry.terraform.io/hashicorp/aws"}
    configuration = {"provider_config": {"aws": provider}, "root_module": {"module_calls": calls}}
    with open(os.path.join(directory, "plan.json"), "w") as file:
        file.write(json.dumps(head)[:-1] + ', "planned_values": {"root_module": {"child_modules": [')
        for at, (child, resources) in enumerate(children.items()):
            name = json.dumps(f'module.part["{child}"]')
            file.write(f'{", " if at else ""}{{"address": {name}, "resources": [{", ".join(resources)}]}}')
        file.write(f']}}}}, "resource_changes": [{", ".join(changes)}], "prior_state": {json.dumps(prior)}, ')
        file.write(f'"configuration": {json.dumps(configuration)}, "timestamp": "2026-01-31T08:00:00Z", "errored": false}}\n')


def size(directory):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(directory) for name in names)


def run(command, directory):
    """Wall and CPU seconds, and MiB at the peak, of one run; whatever its verdict, it must not fail."""
    # A process of its own, so that its children are only this run.
    code = (
        "import resource, subprocess, sys, time\n"
        "start = time.monotonic()\n"
        "ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "wall = time.monotonic() - start\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(ended.returncode, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=directory, check=True, capture_output=True, text=True
    ).stdout
    status, wall, cpu, peak = printed.split()
    if int(status) not in (0, 1):
        sys.exit(f"{command} ended with {status}")
    return float(wall), float(cpu), float(peak)


def measure(command, directory, runs):
    done = [run(command, directory) for _ in range(runs)]
    return tuple(statistics.median(column) for column in zip(*done))


def reads(tool, directory):
    """Whether this version judges the files at all: a time in which nothing was done would look good."""
    printed = subprocess.run([tool, "lint", ".", "--format", "json"], cwd=directory, capture_output=True, text=True).stdout
    return bool(json.loads(printed)["inputs"])


# Name, what writes it, sizes, and at which size Checkov judges it too, as what.
CORPORA = [
    ("module", "resources in one module", module, [50, 500, 5000], {50: "terraform"}),
    ("modules", "modules of 20 resources", modules, [10, 100, 1000], {100: "terraform"}),
    ("manifests", "manifests", manifests, [100, 1000, 10000], {100: "kubernetes"}),
    ("plan", "MB of plan", plan, [1, 10, 100], {1: "terraform_plan"}),
]


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("tool")
    words.add_argument("--checkov")
    words.add_argument("--runs", type=int, default=5)
    words.add_argument("--only", choices=[name for name, *_ in CORPORA])
    given = words.parse_args()
    tool = os.path.abspath(given.tool)
    print("| n | of what | wall s | CPU s | peak MiB | MB/s | wall, as a multiple |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for name, what, write, counts, compared in CORPORA:
            if given.only not in (None, name):
                continue
            first = None
            for at, count in enumerate(counts):
                directory = os.path.join(place, f"{name}-{count}")
                write(directory, count)
                if not reads(tool, directory):
                    print(f"| {count:,} | {what} | not read by this version | | | | |")
                    break
                runs = given.runs if at < 2 else min(given.runs, 3)
                wall, cpu, peak = measure([tool, "lint", ".", "--quiet"], directory, runs)
                grown = f"{wall / first:.1f}" if first else ""
                first = first or wall
                rate = size(directory) / 1e6 / wall
                print(f"| {count:,} | {what} | {wall:.3f} | {cpu:.3f} | {peak:.0f} | {rate:.1f} | {grown} |", flush=True)
                if given.checkov and count in compared:
                    flags = ["--compact", "--quiet", "--skip-download", "--framework", compared[count]]
                    command = [os.path.abspath(given.checkov), "-d", ".", *flags]
                    slow, cpu, peak = measure(command, directory, 1)
                    rate = size(directory) / 1e6 / slow
                    print(
                        f"| {count:,} | {what}, Checkov | {slow:.1f} | {cpu:.1f} | {peak:.0f} | {rate:.2f} |"
                        f" {slow / wall:.0f} times ours |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
