// A loop on the AWS SDK for Node. Run by benches/peers.py.
import { setTimeout as sleep } from "node:timers/promises";
import { CognitoIdentityProviderClient, DescribeUserImportJobCommand } from "@aws-sdk/client-cognito-identity-provider";

const { POOL: UserPoolId, JOB: JobId, PAUSE } = process.env;
const pause = 1000 * Number(PAUSE);
const client = new CognitoIdentityProviderClient({});
for (;;) {
  const answer = await client.send(new DescribeUserImportJobCommand({ UserPoolId, JobId }));
  if (["Succeeded", "Failed", "Stopped", "Expired"].includes(answer.UserImportJob.Status)) break;
  if (pause) await sleep(pause);
}
