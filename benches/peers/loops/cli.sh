#!/usr/bin/env bash
# What most people use: a bash loop on the AWS CLI. Run by benches/peers.py.
set -euo pipefail

for ((poll = 0; poll < ${POLLS:-1000000000}; poll++)); do
    status=$("$AWS_CLI" cognito-idp describe-user-import-job --user-pool-id "$POOL" --job-id "$JOB" \
        --query UserImportJob.Status --output text)
    case $status in Succeeded | Failed | Stopped | Expired) break ;; esac
    [[ $PAUSE == 0 ]] || sleep "$PAUSE"
done
