package webhooks_test

import "github.com/goldenpaths/syncer/webhooks"

var repositoryCases = []recorded{
	{file: "ping", app: us, reason: "GitHub says hello"},
	{file: "ping.organization", app: us, reason: "GitHub says hello"},
	{file: "star.created", app: us, reason: "event not handled"},

	{file: "repository.created", app: us, want: []webhooks.Job{webhooks.Scaffold{Repository: octo(1), Creator: cat}}},
	{file: "repository.created", app: us, edits: []set{bot}, reason: "caused by ourselves"},
	{file: "repository.created", app: us, edits: []set{{"sender.login": "terraform[bot]", "sender.type": "Bot"}}, want: []webhooks.Job{
		webhooks.Scaffold{Repository: octo(1), Creator: webhooks.Actor{ID: cat.ID, Login: "terraform[bot]", Bot: true}}}},
	{file: "repository.renamed", app: us, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: octo(1), Action: "renamed", From: "Hello-World", By: cat}}},
	{file: "repository.transferred", app: us, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: octo(1), Action: "transferred", From: "octocat", By: cat}}},
	{file: "repository.edited", app: us, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: octo(0), Action: "edited", From: "main", By: cat}}},
	{file: "repository.privatized", app: us, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: repo(0, private), Action: "privatized", By: cat}}},
	{file: "repository.publicized", app: us, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: repo(0), Action: "publicized", By: cat}}},
	{file: "repository.deleted", app: us, want: []webhooks.Job{webhooks.RepositoryChanged{Action: "deleted",
		Repository: webhooks.Repository{ID: 120, Owner: "Octocoders", Name: "Hello-World", DefaultBranch: "master", Visibility: "public", Created: 1557949090000},
		By:         webhooks.Actor{ID: 4, Login: "Codertocat"}}}},
	// Made from renamed.
	{file: "repository.renamed", app: us, edits: []set{{"action": "archived", "repository.archived": true}}, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: archived(octo(1)), Action: "archived", By: cat}}},
	{file: "repository.renamed", app: us, edits: []set{{"action": "unarchived"}}, want: []webhooks.Job{
		webhooks.RepositoryChanged{Repository: octo(1), Action: "unarchived", By: cat}}},
	// Made from created, by the fields that GitHub documents for it.
	{file: "repository.created", event: "custom_property_values", app: us, want: []webhooks.Job{webhooks.Member{Repository: octo(1), Why: "custom properties changed"}},
		edits: []set{{"action": "updated"}, {"new_property_values": []any{map[string]any{"property_name": "team", "value": "payments"}}}}},

	{file: "push.tag", app: us, reason: "touches nothing of ours"},
	{file: "push.tag", app: here, want: []webhooks.Job{webhooks.PathsChanged{Repository: repo(0), Ref: "refs/tags/simple-tag",
		After: "6113728f27ae82c7b1a177c8d03f9e96e0adf246", Pusher: cat}}},
	{file: "push.tag", app: here, edits: []set{{"before": "aaaa", "after": "0000000000000000000000000000000000000000", "deleted": true}}, want: []webhooks.Job{
		webhooks.PathsChanged{Repository: repo(0), Ref: "refs/tags/simple-tag", Before: "aaaa", Pusher: cat}}},
	{file: "push.branch", app: us, want: []webhooks.Job{webhooks.Scaffold{Repository: repo(1), Creator: cat}}},
	{file: "push.branch", app: us, edits: []set{bot}, reason: "caused by ourselves"},
	{file: "push.branch", app: us, edits: []set{before}, reason: "touches nothing of ours"},
	{file: "push.branch", app: us, edits: []set{before, {"commits": []any{}}}, want: []webhooks.Job{touched}},
	{file: "push.branch", app: us, edits: []set{before, {"forced": true}}, want: []webhooks.Job{touched}},
	{file: "push.branch", app: us, edits: []set{before, commits(".goldenpath.yaml")}, want: []webhooks.Job{touched}},
	{file: "push.branch", app: us, edits: []set{before, commits("deploy/.goldenpath.yaml")}, reason: "touches nothing of ours"},
	{file: "push.branch", app: us, edits: []set{before, {"ref": "refs/heads/feature"}}, reason: "touches nothing of ours"},
	{file: "push.branch", app: us, edits: []set{before, {"ref": "refs/heads/goldenpath/go-service"}}, want: []webhooks.Job{webhooks.Member{
		Repository: repo(1), Why: "a person pushed to goldenpath/go-service", Branch: "goldenpath/go-service"}}},
	{file: "push.branch", app: us, edits: []set{before, bot, {"ref": "refs/heads/goldenpath/go-service"}}, reason: "caused by ourselves"},
	{file: "push.branch", app: here, want: []webhooks.Job{changed("")}},
	{file: "push.branch", app: here, edits: []set{before, bot}, want: []webhooks.Job{webhooks.PathsChanged{Repository: repo(1),
		Ref: "refs/heads/master", Before: "aaaa", After: "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
		Pusher: webhooks.Actor{ID: cat.ID, Login: "golden[bot]", Bot: true}}}},
	{file: "push.branch", app: here, edits: []set{before, commits(".goldenpath.lock")}, want: []webhooks.Job{changed("aaaa"), touched}},
	{file: "push.branch", app: webhooks.App{PlatformID: 186853002, Platform: "old/name"}, edits: []set{before}, want: []webhooks.Job{changed("aaaa")}},

	{file: "create.tag", app: here, want: []webhooks.Job{webhooks.PathsChanged{Repository: repo(1), Ref: "refs/tags/simple-tag", Pusher: cat}}},
	{file: "create.tag", app: us, reason: "only tags of the platform repository matter"},
	{file: "create.tag", app: here, edits: []set{{"ref_type": "branch"}}, reason: "only tags of the platform repository matter"},
}

func private(r *webhooks.Repository) { r.Visibility = "private" }

func archived(r webhooks.Repository) webhooks.Repository {
	r.Archived = true
	return r
}

var before = set{"before": "aaaa"}

func commits(file string) set {
	return set{"commits": []any{map[string]any{"id": "6113728f27ae82c7b1a177c8d03f9e96e0adf246", "modified": []string{file}}}}
}

var touched = webhooks.Member{Repository: repo(1), Why: "golden path files changed on the default branch"}

func changed(before string) webhooks.PathsChanged {
	return webhooks.PathsChanged{Repository: repo(1), Ref: "refs/heads/master", Before: before,
		After: "6113728f27ae82c7b1a177c8d03f9e96e0adf246", Pusher: cat}
}

const head = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"

func preview(more func(*webhooks.Preview)) []webhooks.Job {
	p := webhooks.Preview{Repository: repo(1), Number: 2, Head: head, Base: "master"}
	more(&p)
	return []webhooks.Job{p}
}

func decision(v webhooks.Verdict, by webhooks.Actor) []webhooks.Job {
	return []webhooks.Job{webhooks.Decision{Repository: repo(1), Number: 2, Branch: "goldenpath/go-service", Head: head, Verdict: v, By: by}}
}

func ourMember(why string) []webhooks.Job {
	return []webhooks.Job{webhooks.Member{Repository: repo(1), Why: why, Branch: "goldenpath/go-service", Number: 2}}
}

var (
	managed  = []webhooks.Job{webhooks.CheckManaged{Repository: repo(1), Number: 2, Head: head, Base: "master"}}
	ourCheck = []webhooks.Job{webhooks.CheckManaged{Repository: repo(1), Number: 2, Head: head, Base: "master", Ours: true}}
	botActor = webhooks.Actor{ID: cat.ID, Login: "golden[bot]", Bot: true}
	edited   = set{"action": "edited"}
	newBase  = set{"changes.base.ref.from": "main"}
	newBody  = set{"changes.body.from": "- [ ] rebase", "pull_request.body": "- [x] rebase"}
)

var pullRequestCases = []recorded{
	{file: "pull_request.opened", app: us, want: managed},
	{file: "pull_request.reopened", app: us, want: managed},
	{file: "pull_request.synchronize", app: us, want: managed},
	{file: "pull_request.opened", app: us, edits: []set{edited, newBase}, want: managed},
	{file: "pull_request.opened", app: us, edits: []set{edited}, reason: "action not handled"},
	// Ours too: the check may be required.
	{file: "pull_request.opened", app: us, edits: []set{bot}, want: ourCheck},
	{file: "pull_request.opened", app: us, edits: []set{bot, {"pull_request.base.ref": "release-1"}}, reason: "caused by ourselves"},
	{file: "pull_request.opened", app: here, edits: []set{bot}, reason: "caused by ourselves"},
	{file: "pull_request.labeled", app: us, edits: []set{bot}, reason: "caused by ourselves"},
	{file: "pull_request.opened", app: us, edits: []set{{"pull_request.base.ref": "release-1"}}, reason: "golden paths own files on the default branch only"},
	{file: "pull_request.opened", app: us, edits: []set{{"pull_request.head.repo": nil}}, want: managed},
	{file: "pull_request.closed", app: us, reason: "not a pull request of ours"},
	{file: "pull_request.labeled", app: us, reason: "action not handled"},

	{file: "pull_request.opened", app: here, want: preview(func(*webhooks.Preview) {})},
	{file: "pull_request.synchronize", app: here, want: preview(func(*webhooks.Preview) {})},
	{file: "pull_request.opened", app: here, edits: []set{{"pull_request.head.repo.id": 7}}, want: preview(func(*webhooks.Preview) {})},
	{file: "pull_request.opened", app: here, edits: []set{{"pull_request.head.repo": nil}}, want: preview(func(*webhooks.Preview) {})},
	{file: "pull_request.closed", app: here, want: preview(func(p *webhooks.Preview) { p.Closed = true })},
	{file: "pull_request.closed", app: here, edits: []set{{"pull_request.merged": true}}, want: preview(func(p *webhooks.Preview) { p.Closed, p.Merged = true, true })},
	{file: "pull_request.labeled", app: here, reason: "action not handled"},

	{file: "pull_request.opened", app: us, edits: []set{ourPR, bot}, want: ourCheck},
	{file: "pull_request.closed", app: us, edits: []set{ourPR}, want: decision(webhooks.Closed, cat)},
	{file: "pull_request.closed", app: us, edits: []set{ourPR, bot}, reason: "caused by ourselves"},
	{file: "pull_request.closed", app: us, edits: []set{ourPR, bot, {"pull_request.merged": true}}, want: decision(webhooks.Merged, botActor)},
	{file: "pull_request.reopened", app: us, edits: []set{ourPR}, want: decision(webhooks.Reopened, cat)},
	{file: "pull_request.synchronize", app: us, edits: []set{ourPR}, want: append(ourCheck, ourMember("a person pushed to the pull request")...)},
	{file: "pull_request.synchronize", app: us, edits: []set{ourPR, bot}, want: ourCheck},
	{file: "pull_request.labeled", app: us, edits: []set{ourPR}, want: ourMember("a person labelled the pull request")},
	{file: "pull_request.opened", app: us, edits: []set{ourPR, edited, newBase}, want: ourMember("the pull request's base was changed")},
	{file: "pull_request.opened", app: us, edits: []set{ourPR, edited, newBody}, want: []webhooks.Job{webhooks.Checkbox{
		Repository: repo(1), Number: 2, PullRequest: true, Ticked: []string{"rebase"}, By: cat}}},
	{file: "pull_request.opened", app: us, edits: []set{ourPR, edited, {"changes.title.from": "old"}}, reason: "action not handled"},
	// Anybody may name a branch, or fork ours, as we do.
	{file: "pull_request.closed", app: us, edits: []set{{"pull_request.head.ref": "goldenpath/go-service"}}, reason: "not a pull request of ours"},
	{file: "pull_request.closed", app: us, edits: []set{ourPR, {"pull_request.head.repo.id": 7}}, reason: "not a pull request of ours"},

	{file: "issue_comment.created", app: us, reason: "no command in the text"},
	{file: "issue_comment.created", app: us, edits: []set{{"comment.body": "Please:\r\n  /goldenpath rebase\r\n"}}, want: []webhooks.Job{webhooks.Command{
		Repository: repo(1), Number: 1, Comment: 492700400, Text: "Please:\r\n  /goldenpath rebase\r\n", Author: cat, Association: "OWNER"}}},
	{file: "issue_comment.created", app: us, edits: []set{{"comment.body": "@Golden pin", "issue.pull_request": set{"url": "x"}}}, want: []webhooks.Job{webhooks.Command{
		Repository: repo(1), Number: 1, PullRequest: true, Comment: 492700400, Text: "@Golden pin", Author: cat, Association: "OWNER"}}},
	{file: "issue_comment.created", app: us, edits: []set{{"comment.body": "> /goldenpath rebase\nWhat does /goldenpath do?"}}, reason: "no command in the text"},
	{file: "issue_comment.created", app: us, edits: []set{{"comment.body": "/syncer retry", "comment.user.type": "Bot"}}, reason: "bots give no commands"},
	{file: "issue_comment.created", app: us, edits: []set{bot, {"comment.body": "/syncer retry"}}, reason: "caused by ourselves"},
	{file: "issue_comment.created", app: us, edits: []set{{"comment.body": "/syncer retry", "comment.performed_via_github_app": set{"id": 29310}}}, reason: "caused by ourselves"},
	{file: "issue_comment.edited", app: us, edits: []set{{"comment.body": "/syncer retry"}}, want: []webhooks.Job{webhooks.Command{
		Repository: repo(0), Number: 1, Comment: 492700400, Text: "/syncer retry", Author: cat, Association: "OWNER"}}},
	{file: "issue_comment.edited", app: us, edits: []set{{"comment.body": "/syncer retry!", "changes.body.from": "/syncer retry"}}, reason: "the command was there before the edit"},
	{file: "issue_comment.edited", app: us, edits: []set{ourBox}, want: []webhooks.Job{webhooks.Checkbox{
		Repository: repo(0), Number: 1, Comment: 492700400, Ticked: []string{"rebase <!-- rebase -->"}, By: cat}}},
	{file: "issue_comment.edited", app: us, edits: []set{ourBox, bot}, reason: "caused by ourselves"},
	{file: "issue_comment.deleted", app: us, reason: "action not handled"},

	{file: "issues.opened", app: us, reason: "no command in the text"},
	{file: "issues.opened", app: us, edits: []set{{"issue.body": "/goldenpath adopt go-service"}}, want: []webhooks.Job{webhooks.Command{
		Repository: repo(0), Number: 1, Text: "/goldenpath adopt go-service", Author: cat, Association: "OWNER"}}},
	{file: "issues.edited", app: us, reason: "action not handled"},
	{file: "issues.edited", app: us, edits: []set{{"issue.user.login": "golden[bot]", "issue.body": "- [x] pin", "changes.body.from": "- [ ] pin"}}, want: []webhooks.Job{
		webhooks.Checkbox{Repository: repo(0), Number: 1, Ticked: []string{"pin"}, By: cat}}},
	{file: "issues.reopened", app: us, reason: "action not handled"},
	{file: "issues.reopened", app: us, edits: []set{{"issue.user.login": "golden[bot]"}}, want: []webhooks.Job{
		webhooks.Member{Repository: repo(1), Why: "issue reopened", Number: 1}}},
}

// at returns the recorded repository of another account.
func at(id, installation int64, owner, name, branch, visibility string, created int64) webhooks.Repository {
	return webhooks.Repository{ID: id, Installation: installation, Owner: owner, Name: name, DefaultBranch: branch,
		Visibility: visibility, Created: created}
}

const queued = "refs/heads/gh-readonly-queue/main/pr-104-929f8209d40f77f4abc622a499c93a83babdbe64"

var (
	octoOrg      = webhooks.App{ID: 29310, Platform: "octo-org/octo-repo"}
	groupOf      = at(17273051, 1, "octo-org", "octo-repo", "main", "private", 1393555371000)
	groupPreview = webhooks.Preview{Repository: groupOf, Group: queued, Head: "2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d", Base: "main"}
)

var checkCases = []recorded{
	{file: "check_run.completed", app: us, reason: "action not handled"},
	{file: "check_run.rerequested", app: us, reason: "not a check of ours"},
	{file: "check_run.rerequested", app: webhooks.App{ID: 2}, want: []webhooks.Job{webhooks.Rerun{
		Repository: at(526, 1, "github", "hello-world", "master", "public", 1524688930000), CheckRun: 4, Suite: 5, Name: "randscape",
		Head: "d6fde92930d4715a2b49857d24b940956b26d2d3", By: webhooks.Actor{ID: 5346, Login: "octocat"}}}},
	{file: "check_run.requested_action", app: webhooks.App{ID: 25811}, want: []webhooks.Job{webhooks.Rerun{
		Repository: at(9384267, 690857, "electron", "electron", "master", "public", 1365731256000), CheckRun: 1494503112,
		Suite: 1604239627, Name: "API Review", Head: "5bd5f196a46b8222fb7484f05faba41a73cf34bd", Numbers: []int{26764},
		Identifier: "lgtm|26764", By: webhooks.Actor{ID: 2036040, Login: "codebytere"}}}},
	{file: "check_suite.requested", app: us, reason: "action not handled"},
	{file: "check_suite.rerequested", app: us, want: []webhooks.Job{webhooks.Rerun{
		Repository: repo(957387), Suite: 118578147, Head: head, Numbers: []int{2},
		By: webhooks.Actor{ID: 49795351, Login: "octocoders-linter[bot]", Bot: true}}}},
	{file: "check_suite.rerequested", app: webhooks.App{ID: 1}, reason: "not a check of ours"},

	{file: "merge_group.checks_requested", app: us, want: []webhooks.Job{webhooks.CheckManaged{
		Repository: groupOf, Group: queued, Head: groupPreview.Head, Base: "main"}}},
	{file: "merge_group.checks_requested", app: octoOrg, want: []webhooks.Job{groupPreview}},
	{file: "merge_group.checks_requested", app: octoOrg, edits: []set{{"action": "destroyed", "reason": "merged"}}, want: []webhooks.Job{
		func(p webhooks.Preview) webhooks.Preview { p.Closed, p.Merged = true, true; return p }(groupPreview)}},
	{file: "merge_group.checks_requested", app: us, edits: []set{{"action": "destroyed"}}, reason: "the merge group is gone"},

	{file: "deployment_status.created", app: us, reason: "only a deployment that succeeded counts"},
	{file: "deployment_status.created", app: us, edits: []set{bot, {"deployment_status.state": "success"}}, want: []webhooks.Job{webhooks.FirstDeploy{
		Repository: repo(1), Source: "deployment_status", Environment: "github-pages", Commit: "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
		At: 1641173320000}}},
	{file: "workflow_run.completed", app: us, reason: "not a workflow that delivers"},
	{file: "workflow_run.completed", app: us, edits: []set{{"workflow_run.path": ".github/workflows/build-and-deploy.yml"}}, want: []webhooks.Job{
		webhooks.FirstDeploy{Repository: at(300029405, 0, "octo-org", "octo-repo", "master", "public", 1601492696000), Source: "workflow_run",
			Workflow: ".github/workflows/build-and-deploy.yml", Commit: "3484a3fb816e0859fd6e1cea078d76385ff50625", At: 1601915629000}}},
	{file: "workflow_run.completed", app: us, edits: []set{{"workflow_run.head_branch": "feature"}}, reason: "only a run that succeeded on the default branch counts"},
	{file: "workflow_run.requested", app: us, reason: "only a run that succeeded on the default branch counts"},
}

// granted is what the recorded installation is edited to have, to keep the case short.
var granted = set{"installation.permissions": set{"contents": "write", "metadata": "read"}}

func listed(id, installation int64, owner, name string) []webhooks.Repository {
	return []webhooks.Repository{{ID: id, Installation: installation, Owner: owner, Name: name, Visibility: "public"}}
}

func installed(more webhooks.Installation) []webhooks.Job {
	more.Account, more.AccountID, more.By = "Codertocat", 21031067, cat
	more.Permissions = map[string]string{"contents": "write", "metadata": "read"}
	return []webhooks.Job{more}
}

func removed(action string) []webhooks.Job {
	return []webhooks.Job{webhooks.Installation{ID: 2, Action: action, Account: "octocat", AccountID: 1, AccountType: "User", Selection: "selected",
		Permissions: map[string]string{"contents": "read", "issues": "write", "metadata": "read"},
		Removed:     listed(1296269, 2, "octocat", "Hello-World"), By: webhooks.Actor{ID: 1, Login: "octocat"}}}
}

var installationCases = []recorded{
	{file: "installation.created", app: us, edits: []set{granted}, want: installed(webhooks.Installation{ID: 957387, Action: "created",
		AccountType: "User", Selection: "selected", Added: listed(186853002, 957387, "Codertocat", "Hello-World")})},
	{file: "installation.deleted", app: us, want: removed("deleted")},
	{file: "installation.new_permissions_accepted", app: us, edits: []set{granted}, want: installed(webhooks.Installation{ID: 957387,
		Action: "new_permissions_accepted", AccountType: "Organization", Selection: "all"})},
	{file: "installation.suspend", app: us, edits: []set{granted}, want: installed(webhooks.Installation{ID: 16598467, Action: "suspend",
		AccountType: "Organization", Selection: "all"})},
	{file: "installation.unsuspend", app: us, edits: []set{granted}, want: installed(webhooks.Installation{ID: 16598467, Action: "unsuspend",
		AccountType: "Organization", Selection: "all"})},
	{file: "installation_repositories.added", app: us, edits: []set{granted}, want: installed(webhooks.Installation{ID: 957387, Action: "added",
		AccountType: "User", Selection: "selected", Added: listed(186853007, 957387, "Codertocat", "Space")})},
	{file: "installation_repositories.removed", app: us, want: removed("removed")},
	{file: "installation.created", app: us, edits: []set{{"action": "upgraded"}}, reason: "action not handled"},
	// Made from created, by the fields that GitHub documents for it.
	{file: "installation.created", event: "installation_target", app: us, edits: []set{{"action": "renamed", "target_type": "Organization",
		"account": set{"id": 7, "login": "acme-inc"}, "changes.login.from": "acme"}}, want: []webhooks.Job{webhooks.Installation{
		ID: 957387, Action: "renamed", Account: "acme-inc", AccountID: 7, AccountType: "Organization", By: cat}}},
}
