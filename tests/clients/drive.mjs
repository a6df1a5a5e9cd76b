// The AWS SDK for Node, from the creation of an import job to its end; run by test_node.py. Prints one JSON line.
//
//   node drive.mjs USER_POOL_ID CSV
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CognitoIdentityProviderClient,
  CreateUserImportJobCommand,
  DescribeUserImportJobCommand,
  GetCSVHeaderCommand,
  ListUserImportJobsCommand,
  ListUserPoolsCommand,
  StartUserImportJobCommand,
  StopUserImportJobCommand,
  paginateListUsers,
} from "@aws-sdk/client-cognito-identity-provider";

const [UserPoolId, csv] = process.argv.slice(2);
const client = new CognitoIdentityProviderClient({ maxAttempts: 1 });
const told = {};

// The name and the class of the error that a call ends with.
async function refusal(command) {
  try {
    await client.send(command);
    return null;
  } catch (error) {
    return { name: error.name, modelled: error.constructor.name === error.name, message: error.message };
  }
}

const header = await client.send(new GetCSVHeaderCommand({ UserPoolId }));
told.header = header.CSVHeader;

const created = await client.send(
  new CreateUserImportJobCommand({
    UserPoolId,
    JobName: "from Node",
    CloudWatchLogsRoleArn: "arn:aws:iam::123456789012:role/CognitoUserImport",
  }),
);
const { JobId, PreSignedUrl } = created.UserImportJob;
told.jobId = JobId;
told.createdStatus = created.UserImportJob.Status;
told.createdIsADate = created.UserImportJob.CreationDate instanceof Date;
told.startedTooEarly = await refusal(new StartUserImportJobCommand({ UserPoolId, JobId }));
told.stoppedTooEarly = await refusal(new StopUserImportJobCommand({ UserPoolId, JobId }));

const bare = await fetch(PreSignedUrl, { method: "PUT", body: await readFile(csv) });
told.uploadWithoutEncryption = bare.status;
const put = await fetch(PreSignedUrl, {
  method: "PUT",
  body: await readFile(csv),
  headers: { "x-amz-server-side-encryption": "aws:kms" },
});
told.upload = put.status;
const started = await client.send(new StartUserImportJobCommand({ UserPoolId, JobId }));
told.startedStatus = started.UserImportJob.Status;

let job;
do {
  await sleep(300);
  job = (await client.send(new DescribeUserImportJobCommand({ UserPoolId, JobId }))).UserImportJob;
} while (["Pending", "InProgress"].includes(job.Status));
const { Status, ImportedUsers, SkippedUsers, FailedUsers, CompletionMessage } = job;
told.end = { Status, ImportedUsers, SkippedUsers, FailedUsers, CompletionMessage };
told.order = job.CreationDate <= job.StartDate && job.StartDate <= job.CompletionDate;

told.listed = [];
let PaginationToken;
do {
  const page = await client.send(new ListUserImportJobsCommand({ UserPoolId, MaxResults: 1, PaginationToken }));
  told.listed.push(...page.UserImportJobs.map((listed) => listed.JobId));
  PaginationToken = page.PaginationToken;
} while (PaginationToken);

told.users = 0;
for await (const page of paginateListUsers({ client, pageSize: 60 }, { UserPoolId })) {
  told.users += page.Users.length;
}

told.missingPool = await refusal(new GetCSVHeaderCommand({ UserPoolId: `${UserPoolId}x` }));
told.missingJob = await refusal(new DescribeUserImportJobCommand({ UserPoolId, JobId: "import-none" }));
told.wrongInput = await refusal(new DescribeUserImportJobCommand({ UserPoolId, JobId: "none" }));
told.unknownOperation = await refusal(new ListUserPoolsCommand({ MaxResults: 1 }));
console.log(JSON.stringify(told));
