package setup

import (
	"fmt"
	"strings"
)

// Permission is one that the App asks for, with the reason that owners are told.
type Permission struct {
	Name    string // in GitHub's API and in the manifest
	Label   string // on GitHub's pages
	Level   string // read or write
	Reason  string
	Without string // what does not work where an owner does not grant it; "": nothing does
}

// Permissions returns what the App asks for. The names are those of "app-permissions"
// in GitHub's OpenAPI description, and actions_variables, which that lacks.
func Permissions() []Permission {
	return []Permission{
		{"metadata", "Metadata", "read", "Names, topics, custom properties and rules of repositories. GitHub grants it to every App.", ""},
		{"contents", "Contents", "write", "Read the golden paths and the files of members; commit what was rendered, to a new repository or to a branch of its own.", ""},
		{"workflows", "Workflows", "write", "GitHub asks for it beside Contents for every commit that touches .github/workflows.", "Golden paths with workflows cannot be delivered."},
		{"pull_requests", "Pull requests", "write", "Open and update the one pull request that a member gets when its golden path changes.", ""},
		{"checks", "Checks", "write", "Say on a change of a golden path what it will do to every member, on a member's pull request that it edits a managed file, and on a pull request of syncer's what is still to be decided.", "No checks; syncer works without being seen."},
		{"issues", "Issues", "write", "Ask in an issue for inputs that cannot be inferred; answer commands in comments; label pull requests.", "Missing inputs are not asked for, and commands are not answered."},
		{"administration", "Administration", "write", "Create repositories and publish golden paths as template repositories; set topics, teams, environments and rulesets where a golden path says so.", "People create repositories, and those steps are reported as not done."},
		{"actions", "Actions", "write", "Start the workflows that a golden path names after a repository is made; hear of the first delivery.", "Workflows are not started, and time to first deployment is not known."},
		{"actions_variables", "Variables", "write", "Set the Actions variables that a golden path names.", "Variables are reported as not set."},
		{"deployments", "Deployments", "read", "Hear of deployments, for the time from a repository to its first one.", "That time is not known."},
		{"merge_queues", "Merge queues", "read", "Answer the checks that a merge queue waits for.", "A merge queue that requires syncer's check waits in vain."},
		{"members", "Members (organization)", "read", "Know the teams that golden paths grant access to and CODEOWNERS name.", "Teams get no access and are not asked for reviews."},
		{"organization_custom_properties", "Custom properties (organization)", "read", "Hear when a property changes that a golden path takes an input from.", "Such a change is seen at the next sweep."},
	}
}

// Events returns the webhook events that the App subscribes to. Those about
// installations come without.
func Events() []string {
	return []string{
		"check_run", "check_suite", "create", "custom_property_values", "deployment_status",
		"issue_comment", "issues", "merge_group", "pull_request", "push", "repository", "workflow_run",
	}
}

// Markdown returns the tables for docs/installation.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| permission | level | what for | without it |\n|---|---|---|---|\n")
	for _, p := range Permissions() {
		without := p.Without
		if without == "" {
			without = "It is needed."
		}
		fmt.Fprintf(&b, "| %s (`%s`) | %s | %s | %s |\n", p.Label, p.Name, p.Level, p.Reason, without)
	}
	b.WriteString("\nEvents: `" + strings.Join(Events(), "`, `") + "`. Those about installations come by themselves.\n")
	return b.String()
}
