#!/usr/bin/env python3
"""Measures `nexafi-gen lint` on corpora that it writes itself, and Checkov on the same files where it is given.

    cargo build --release
    python3 benches/measure.py target/release/nexafi-gen [--checkov PATH] [--runs N]

Prints one row for each corpus and size: wall time (median of the runs), CPU time, peak memory, input in MB/s, and how
wall time grew for ten times the input. Nothing is kept: the corpora are written to a temporary directory.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

BLOCKS = """\
resource "aws_vpc" "v{n}" {{
  cidr_block = var.cidr
}}

resource "aws_subnet" "s{n}" {{
  for_each   = toset(["a", "b"])
  vpc_id     = aws_vpc.v{n}.id
  cidr_block = cidrsubnet(var.cidr, 8, index(["a", "b"], each.key))
}}

resource "aws_kms_key" "k{n}" {{
  description         = "key {n}"
  enable_key_rotation = true
}}

resource "aws_s3_bucket" "b{n}" {{
  bucket = "bucket-${{var.stage}}-{n}"
}}

resource "aws_s3_bucket_server_side_encryption_configuration" "b{n}" {{
  bucket = aws_s3_bucket.b{n}.id
  rule {{
    apply_server_side_encryption_by_default {{
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.k{n}.arn
    }}
  }}
}}

resource "aws_security_group" "g{n}" {{
  name        = "group-{n}"
  description = "Group {n}"
  vpc_id      = aws_vpc.v{n}.id
  ingress {{
    description = "https"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = [var.cidr]
  }}
}}

resource "aws_iam_role" "r{n}" {{
  name = "role-{n}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = {{ Service = "ec2.amazonaws.com" }}
    }}]
  }})
}}

resource "aws_sqs_queue" "q{n}" {{
  name              = "queue-{n}"
  kms_master_key_id = aws_kms_key.k{n}.id
}}

resource "aws_db_instance" "d{n}" {{
  identifier          = "db-{n}"
  engine              = "postgres"
  instance_class      = "db.t4g.medium"
  allocated_storage   = 20
  storage_encrypted   = true
  kms_key_id          = aws_kms_key.k{n}.arn
  username            = "admin"
  skip_final_snapshot = false
}}

resource "aws_cloudwatch_log_group" "l{n}" {{
  name              = "/app/{n}"
  retention_in_days = 400
  kms_key_id        = aws_kms_key.k{n}.arn
}}
"""
# Blocks of one piece.
PIECE = 10
VARIABLES = 'variable "cidr" {\n  default = "10.0.0.0/16"\n}\n\nvariable "stage" {\n  default = "test"\n}\n\n'
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}
  namespace: space-{s}
  labels: {{app: app-{n}}}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: app-{n}}}
  template:
    metadata:
      labels: {{app: app-{n}}}
    spec:
      containers:
        - name: app
          image: registry.example.com/app:{n}
          ports: [{{containerPort: 8080}}]
          resources:
            requests: {{cpu: 100m, memory: 128Mi}}
            limits: {{memory: 128Mi}}
          securityContext:
            allowPrivilegeEscalation: false
            runAsNonRoot: true
"""


def module(directory, blocks):
    os.makedirs(directory)
    with open(os.path.join(directory, "main.tf"), "w") as file:
        file.write(VARIABLES + "\n".join(BLOCKS.format(n=n) for n in range(blocks // PIECE)))


def modules(directory, count):
    for n in range(count):
        module(os.path.join(directory, f"m{n // 100}", f"module-{n}"), 20)


def manifests(directory, count):
    for n in range(count):
        place = os.path.join(directory, f"d{n // 500}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, f"app-{n}.yaml"), "w") as file:
            file.write(MANIFEST.format(n=n, s=n % 50))


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
    text = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=directory, check=True, capture_output=True, text=True
    ).stdout
    status, wall, cpu, peak = text.split()
    if int(status) not in (0, 1):
        sys.exit(f"{command} ended with {status}")
    return float(wall), float(cpu), float(peak)


def measure(command, directory, runs):
    done = [run(command, directory) for _ in range(runs)]
    return tuple(statistics.median(column) for column in zip(*done))


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("tool")
    words.add_argument("--checkov")
    words.add_argument("--runs", type=int, default=5)
    given = words.parse_args()
    tool = os.path.abspath(given.tool)
    corpora = [
        ("one module, blocks", module, [50, 500, 5000]),
        ("modules of 20 blocks", modules, [10, 100, 1000]),
        ("manifests", manifests, [100, 1000, 10000]),
    ]
    print("| corpus | n | wall s | CPU s | peak MiB | MB/s | wall for 10x |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        for name, write, counts in corpora:
            before = None
            for at, count in enumerate(counts):
                directory = os.path.join(place, f"{name.split()[0]}-{count}")
                write(directory, count)
                runs = given.runs if at < 2 else min(given.runs, 3)
                wall, cpu, peak = measure([tool, "lint", ".", "--quiet"], directory, runs)
                grown = f"{wall / before:.1f}x" if before else ""
                before = wall
                rate = size(directory) / 1e6 / wall
                print(f"| {name} | {count} | {wall:.3f} | {cpu:.3f} | {peak:.0f} | {rate:.1f} | {grown} |", flush=True)
                if given.checkov and at == 0:
                    flags = ["--compact", "--quiet", "--skip-download", "--framework"]
                    kind = "kubernetes" if name == "manifests" else "terraform"
                    command = [os.path.abspath(given.checkov), "-d", ".", *flags, kind]
                    slow, cpu, peak = measure(command, directory, 1)
                    print(
                        f"| {name}, Checkov | {count} | {slow:.3f} | {cpu:.3f} | {peak:.0f} |"
                        f" {size(directory) / 1e6 / slow:.2f} | {slow / wall:.0f} times ours |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
