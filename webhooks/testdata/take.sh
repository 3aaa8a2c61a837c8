#!/bin/sh
# Takes the recorded payloads that the tests use out of npm's
# @octokit/webhooks-examples: event, number of the example, file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent @octokit/webhooks-examples@7.6.1 >/dev/null
tar xzf octokit-webhooks-examples-7.6.1.tgz
cat >take.js <<'JS'
const fs = require("fs");
const load = (host) => require("./package/" + host + "/index.json");
const take = (host, event, n, file) => {
  const payload = load(host).find((e) => e.name === event).examples[n];
  fs.writeFileSync(process.argv[2] + "/recorded/" + file + ".json", JSON.stringify(payload) + "\n");
};
const github = {
  ping: { 0: "ping", 3: "ping.organization" },
  installation: {
    0: "installation.deleted", 2: "installation.created", 4: "installation.new_permissions_accepted",
    5: "installation.suspend", 6: "installation.unsuspend",
  },
  installation_repositories: { 0: "installation_repositories.added", 2: "installation_repositories.removed" },
  repository: {
    2: "repository.created", 4: "repository.edited", 5: "repository.privatized", 0: "repository.publicized",
    9: "repository.renamed", 11: "repository.transferred",
  },
  push: { 0: "push.tag", 5: "push.branch" },
  create: { 3: "create.tag" },
  pull_request: {
    12: "pull_request.opened", 3: "pull_request.closed", 18: "pull_request.reopened", 22: "pull_request.synchronize",
    8: "pull_request.labeled",
  },
  issue_comment: { 3: "issue_comment.created", 7: "issue_comment.edited", 5: "issue_comment.deleted" },
  issues: { 16: "issues.opened", 0: "issues.edited", 20: "issues.reopened" },
  check_run: { 6: "check_run.requested_action", 7: "check_run.rerequested", 1: "check_run.completed" },
  check_suite: { 7: "check_suite.rerequested", 4: "check_suite.requested" },
  merge_group: { 0: "merge_group.checks_requested" },
  deployment_status: { 1: "deployment_status.created" },
  workflow_run: { 1: "workflow_run.completed", 3: "workflow_run.requested" },
  star: { 0: "star.created" },
};
for (const [event, files] of Object.entries(github))
  for (const [n, file] of Object.entries(files)) take("api.github.com", event, n, file);
const deleted = load("ghes-35").find((e) => e.name === "repository").examples.findIndex((x) => x.action === "deleted");
take("ghes-35", "repository", deleted, "repository.deleted");
JS
node take.js "$here"
