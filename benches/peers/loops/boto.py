"""A loop on boto3. Run by benches/peers.py."""

import os
import time

import boto3

pool, job, pause = os.environ["POOL"], os.environ["JOB"], float(os.environ["PAUSE"])
client = boto3.client("cognito-idp")
while True:
    answer = client.describe_user_import_job(UserPoolId=pool, JobId=job)
    if answer["UserImportJob"]["Status"] in ("Succeeded", "Failed", "Stopped", "Expired"):
        break
    if pause:
        time.sleep(pause)
