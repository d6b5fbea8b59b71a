#!/usr/bin/env bash
# Stands in for Terraform: writes down what it is asked. The AWS stand-in tests what the real one does with our files.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
printf 'terraform %s\n' "${*:2}" >> "$here/calls"
if [[ "${*:2}" == "state list" ]]; then
  printf '%s\n' data.aws_region.home aws_kms_key.platform 'aws_s3_bucket.audit["primary"]' aws_vpc.primary
fi
