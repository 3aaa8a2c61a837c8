package webhooks

import (
	"cmp"
	"slices"
	"strings"
)

func pullRequests(us App, p *payload) ([]Job, string) {
	pr := p.PullRequest
	number := cmp.Or(pr.Number, p.Number)
	switch {
	case !p.known() || number <= 0 || pr.Head.SHA == "":
		return none("the payload names no pull request")
	case us.opened(p):
		return us.ourPullRequest(p, number)
	case us.own(p.Sender):
		return us.checkOurs(p, number)
	}
	rebased := p.Action == "edited" && p.Changes.Base.Ref != nil
	closed := p.Action == "closed"
	if !closed && !rebased && !slices.Contains([]string{"opened", "reopened", "synchronize"}, p.Action) {
		return none(noAction)
	}
	r := p.repository(p.Repository)
	switch {
	case us.platform(p.Repository):
		return one(Preview{
			Repository: r, Number: number, Head: pr.Head.SHA, Base: pr.Base.Ref,
			Closed: closed, Merged: closed && pr.Merged,
		})
	case closed:
		return none("not a pull request of ours")
	case pr.Base.Ref != p.Repository.DefaultBranch:
		return none("golden paths own files on the default branch only")
	}
	return one(CheckManaged{Repository: r, Number: number, Head: pr.Head.SHA, Base: pr.Base.Ref})
}

// opened says whether a pull request is one of ours: from our bot, and from a
// branch of ours in the same repository. Anybody may name a branch as we do.
func (us App) opened(p *payload) bool {
	pr := p.PullRequest
	return us.own(pr.User) && strings.HasPrefix(pr.Head.Ref, BranchPrefix) && pr.Head.Repo.ID == p.Repository.ID
}

func (us App) ourPullRequest(p *payload, number int) ([]Job, string) {
	pr := p.PullRequest
	decision := Decision{
		Repository: p.repository(p.Repository), Number: number, Branch: pr.Head.Ref, Head: pr.Head.SHA, By: p.Sender.actor(),
	}
	member := Member{Repository: decision.Repository, Branch: pr.Head.Ref, Number: number}
	switch {
	case p.Action == "closed" && pr.Merged:
		// Ours or not: automatic merging is done in the name of who asked for it.
		decision.Verdict = Merged
		return one(decision)
	case us.own(p.Sender):
		return us.checkOurs(p, number)
	case p.Action == "closed":
		decision.Verdict = Closed
		return one(decision)
	case p.Action == "reopened":
		decision.Verdict = Reopened
		return one(decision)
	case p.Action == "synchronize":
		member.Why = "a person pushed to the pull request"
		checks, _ := us.checkOurs(p, number)
		return append(checks, member), ""
	case p.Action == "labeled":
		member.Why = "a person labelled the pull request"
		return one(member)
	case p.Action == "edited" && p.Changes.Base.Ref != nil:
		member.Why = "the pull request's base was changed"
		return one(member)
	case p.Action == "edited" && p.Changes.Body != nil:
		return p.checkbox(Checkbox{Number: number, PullRequest: true}, p.Changes.Body.From, pr.Body)
	}
	return none(noAction)
}

// checkOurs has a pull request of ours checked, as people's are: the check may be required.
func (us App) checkOurs(p *payload, number int) ([]Job, string) {
	pr := p.PullRequest
	moved := slices.Contains([]string{"opened", "reopened", "synchronize"}, p.Action)
	if !moved || us.platform(p.Repository) || pr.Base.Ref != p.Repository.DefaultBranch {
		return none(ours)
	}
	return one(CheckManaged{Repository: p.repository(p.Repository), Number: number, Head: pr.Head.SHA, Base: pr.Base.Ref, Ours: true})
}

func issueComment(us App, p *payload) ([]Job, string) {
	c := p.Comment
	isPull := len(p.Issue.PullRequest) > 0 && string(p.Issue.PullRequest) != "null"
	mine := us.wrote(c.User, c.Via)
	before := ""
	switch {
	case !p.known() || p.Issue.Number <= 0 || c.ID <= 0:
		return none("the payload names no comment")
	case us.own(p.Sender) || mine && p.Action == "created":
		return none(ours)
	case p.Action == "edited" && p.Changes.Body != nil:
		before = p.Changes.Body.From
	case p.Action != "created":
		return none(noAction)
	}
	if mine {
		return p.checkbox(Checkbox{Number: p.Issue.Number, PullRequest: isPull, Comment: c.ID}, before, c.Body)
	}
	return p.command(us, before, Command{
		Number: p.Issue.Number, PullRequest: isPull, Comment: c.ID, Text: c.Body, Author: c.User.actor(), Association: c.Association,
	})
}

func issues(us App, p *payload) ([]Job, string) {
	i := p.Issue
	mine := us.wrote(i.User, i.Via)
	switch {
	case !p.known() || i.Number <= 0:
		return none("the payload names no issue")
	case us.own(p.Sender) || mine && p.Action == "opened":
		return none(ours)
	case p.Action == "opened":
		return p.command(us, "", Command{Number: i.Number, Text: i.Body, Author: i.User.actor(), Association: i.Association})
	case mine && p.Action == "edited" && p.Changes.Body != nil:
		return p.checkbox(Checkbox{Number: i.Number}, p.Changes.Body.From, i.Body)
	case mine && (p.Action == "closed" || p.Action == "reopened"):
		return one(Member{Repository: p.repository(p.Repository), Why: "issue " + p.Action, Number: i.Number})
	}
	return none(noAction)
}

// maxText is the most that GitHub takes as a description or comment.
const maxText = 64 << 10

// command returns j when its text gives an order that the text before an edit did
// not. Bots give no orders: two that answer each other would never end.
func (p *payload) command(us App, before string, j Command) ([]Job, string) {
	switch {
	case j.Author.Bot || p.Sender.Type == "Bot":
		return none("bots give no commands")
	case !us.ordered(j.Text):
		return none("no command in the text")
	case us.ordered(before):
		return none("the command was there before the edit")
	}
	j.Repository, j.Text = p.repository(p.Repository), limit(j.Text, maxText)
	return one(j)
}

// ordered says whether a line of a text begins as a command to us does:
// "/goldenpath", "/syncer", or our name after an @. Lines that quote somebody are not
// ours to obey.
func (us App) ordered(text string) bool {
	for line := range strings.Lines(text) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word = strings.ToLower(strings.TrimSpace(word)); {
		case word == "/goldenpath", word == "/syncer":
			return true
		case us.Slug != "" && word == "@"+strings.ToLower(us.Slug):
			return true
		}
	}
	return false
}

// maxTicked bounds how many boxes one edit may tick.
const maxTicked = 100

// checkbox returns j with the boxes that are ticked in after and were there, but
// not ticked, before.
func (p *payload) checkbox(j Checkbox, before, after string) ([]Job, string) {
	was := boxes(before)
	for line, ticked := range boxes(after) {
		if old, there := was[line]; ticked && there && !old {
			j.Ticked = append(j.Ticked, line)
		}
	}
	if len(j.Ticked) == 0 {
		return none("no box was ticked")
	}
	slices.Sort(j.Ticked)
	j.Ticked = j.Ticked[:min(len(j.Ticked), maxTicked)]
	j.Repository, j.By = p.repository(p.Repository), p.Sender.actor()
	return one(j)
}

// boxes returns the items of a text's task lists, and whether each is ticked.
func boxes(text string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if len(line) < 6 || !strings.ContainsRune("-*+", rune(line[0])) || line[1] != ' ' || line[2] != '[' || line[4] != ']' {
			continue
		}
		if mark := line[3]; mark == ' ' || mark == 'x' || mark == 'X' {
			item := strings.TrimSpace(line[5:])
			all[item] = all[item] || mark != ' '
		}
	}
	return all
}
