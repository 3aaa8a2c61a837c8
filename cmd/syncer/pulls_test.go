package main

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

const ourBranch = "goldenpath/svc"

// payments is a member that has what the golden path renders.
func (w *world) payments() {
	w.Helper()
	w.publish()
	w.useTemplate("acme/payments", localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	w.until("the golden path is rendered", func() bool { return w.file("acme/payments", "main", "lines.txt") == lines })
	w.settle()
}

// conflicting makes the member and the golden path change the same line, and returns
// the pull request about it.
func (w *world) conflicting() *localhub.Pull {
	w.Helper()
	w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
	w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2, "goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
	w.until("a pull request asks", func() bool { return w.pull("acme/payments", ourBranch) != nil })
	w.settle()
	return w.pull("acme/payments", ourBranch)
}

// push commits files to a branch of the member.
func (w *world) push(branch string, files map[string]string) {
	w.Helper()
	_, err := w.alice.Push("acme/payments", branch, "our own", localhub.Edit{Files: files})
	w.must(err)
}

// checkOf returns our check of a commit, the zero value where there is none.
func (w *world) checkOf(commit string) localhub.Check {
	w.Helper()
	return w.checkIn("acme/payments", commit)
}

func (w *world) checkIn(name, commit string) localhub.Check {
	w.Helper()
	checks, err := w.hub.Checks(name)
	w.must(err)
	i := slices.IndexFunc(checks, func(c localhub.Check) bool { return c.Head == commit && c.Name == "syncer / svc" })
	if i < 0 {
		return localhub.Check{}
	}
	return checks[i]
}

func TestWalkOpenConflictIsADraftWithAFailingCheck(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		if !pr.Draft {
			w.Error("the pull request is no draft")
		}
		check := w.checkOf(pr.HeadID)
		if check.Conclusion != "failure" || !strings.Contains(check.Summary, "lines.txt") || !strings.Contains(check.Summary, "SEVEN") || !strings.Contains(check.Summary, "mine") {
			w.Errorf("the check is %+v", check)
		}
		if err := w.alice.MergePull("acme/payments", pr.Number, "merge"); err == nil {
			w.Fatal("a draft was merged")
		}
		w.must(w.alice.Edit("acme/payments", pr.Number, pr.Title, strings.Replace(pr.Body, "- [ ] take", "- [x] take", 1)))
		w.until("the box is obeyed", func() bool { return strings.Contains(w.file("acme/payments", ourBranch, "lines.txt"), "SEVEN") })
		w.settle()
		w.decided()
	})
}

// decided checks that the pull request says that nothing is left to decide.
func (w *world) decided() {
	w.Helper()
	pr := w.pull("acme/payments", ourBranch)
	if c := w.checkOf(pr.HeadID); c.Conclusion != "success" {
		w.Errorf("the check of the decided head is %+v", c)
	}
	if strings.Contains(pr.Body, "To decide") {
		w.Errorf("the description still asks:\n%s", pr.Body)
	}
	told := slices.ContainsFunc(pr.Comments, func(c localhub.Comment) bool { return strings.Contains(c.Body, "Ready for review") })
	if pr.Draft != w.rest || told != w.rest { // without GraphQL a person has to press the button
		w.Errorf("draft: %v; told to press the button: %v", pr.Draft, told)
	}
}

func TestWalkConflictIsDecidedByHand(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		w.push(ourBranch, map[string]string{"lines.txt": strings.Replace(lines, "seven", "MINE AND SEVEN", 1)})
		w.until("the check of the new head succeeds", func() bool { return w.checkOf(w.pull("acme/payments", ourBranch).HeadID).Conclusion == "success" })
		w.settle()
		w.decided()
		if got := w.file("acme/payments", ourBranch, "lines.txt"); !strings.Contains(got, "MINE AND SEVEN") {
			w.Errorf("the person's line is gone:\n%s", got)
		}
		// The decision is remembered: the next version does not ask again.
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.until("the next version is on the branch", func() bool { return w.file("acme/payments", ourBranch, "ci.yaml") == "ci: 3\n" })
		w.settle()
		w.noConflict()
		if again := w.pull("acme/payments", ourBranch); again.Number != pr.Number {
			w.Errorf("there is another pull request, #%d", again.Number)
		}
	})
}

func (w *world) noConflict() {
	w.Helper()
	if pr := w.pull("acme/payments", ourBranch); strings.Contains(pr.Body, "To decide") {
		w.Errorf("it asks again:\n%s", pr.Body)
	}
}

// A pull request that was clean becomes a draft when the next version conflicts; and
// where the plan has no drafts, the check alone tells.
func TestWalkConflictAppearsLater(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); pr.Draft || w.checkOf(pr.HeadID).ID != 0 {
			w.Errorf("a clean pull request is a draft, or has a check: %+v", pr)
		}
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
		w.until("the check fails", func() bool { return w.checkOf(w.pull("acme/payments", ourBranch).HeadID).Conclusion == "failure" })
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); pr.Draft == w.rest {
			w.Errorf("draft: %v", pr.Draft)
		}
	})
}

func TestWalkConflictWhereThereAreNoDrafts(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.must(w.alice.SetTraits("acme/payments", localhub.Traits{NoDrafts: true}))
		pr := w.conflicting()
		if pr.Draft {
			w.Error("a draft, where there are none")
		}
		if c := w.checkOf(pr.HeadID); c.Conclusion != "failure" {
			w.Errorf("the check is %+v", c)
		}
		members, _, err := w.db.Members(w.Context(), store.Filter{Contains: "payments"}, "", 0)
		w.must(err)
		if len(members) != 1 || members[0].Member.State != store.Conflict || members[0].Member.Error != "" {
			w.Errorf("the member is %+v", members)
		}
	})
}

// order gives an order in a comment on our pull request, and returns the answer.
func (w *world) order(text string) string {
	w.Helper()
	return w.orderBy(w.alice, text)
}

func (w *world) orderBy(who *localhub.Person, text string) string {
	w.Helper()
	number := w.pull("acme/payments", ourBranch).Number
	before := len(w.commentsOf(number))
	_, err := who.Comment("acme/payments", number, text)
	w.must(err)
	w.until("there is an answer to "+text, func() bool {
		all := w.commentsOf(number)
		return len(all) > before+1 && all[len(all)-1].Author == "syncer[bot]"
	})
	w.settle()
	all := w.commentsOf(number)
	return all[len(all)-1].Body
}

func (w *world) commentsOf(number int) []localhub.Comment {
	w.Helper()
	pulls, err := w.hub.Pulls("acme/payments")
	w.must(err)
	i := slices.IndexFunc(pulls, func(p localhub.Pull) bool { return p.Number == number })
	return pulls[i].Comments
}

func (w *world) says(answer string, all ...string) {
	w.Helper()
	for _, want := range all {
		if !strings.Contains(answer, want) {
			w.Errorf("the answer lacks %q:\n%s", want, answer)
		}
	}
}

func TestWalkRecreate(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		// The default branch moves, and the branch is built on top of it.
		w.push("main", map[string]string{"mine.txt": "mine\n"})
		w.settle()
		w.says(w.order("/syncer rebase"), "brings")
		if w.file("acme/payments", ourBranch, "mine.txt") != "mine\n" {
			w.Error("the branch was not rebased")
		}
		w.push(ourBranch, map[string]string{"fix.txt": "fix\n"})
		w.settle()
		lost := w.pull("acme/payments", ourBranch).HeadID
		w.says(w.order("/goldenpath recreate"), "Nothing was changed", "our own", lost[:10], "--force")
		pr := w.pull("acme/payments", ourBranch)
		w.must(w.alice.Edit("acme/payments", pr.Number, pr.Title, strings.Replace(pr.Body, "- [ ] build", "- [x] build", 1)))
		w.until("the box is answered and empty again", func() bool {
			pr = w.pull("acme/payments", ourBranch)
			return strings.Contains(pr.Comments[len(pr.Comments)-1].Body, "recreate --force") && strings.Contains(pr.Body, "- [ ] build")
		})
		if w.file("acme/payments", ourBranch, "fix.txt") != "fix\n" {
			w.Fatal("a person's commit went without being asked for")
		}
		w.says(w.order("@syncer recreate --force"), "brings")
		if w.file("acme/payments", ourBranch, "fix.txt") != "" || w.file("acme/payments", ourBranch, "ci.yaml") != "ci: 2\n" {
			w.Error("the branch was not built anew")
		}
		named := slices.ContainsFunc(w.commentsOf(pr.Number), func(c localhub.Comment) bool {
			return strings.Contains(c.Body, "git branch rescued "+lost) && strings.Contains(c.Body, "our own")
		})
		if !named {
			w.Error("the commits that went were not named")
		}
	})
}

// TestWalkInputs changes what the member gives: that is no new version, and not told as one.
func TestWalkInputs(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		member := w.file("acme/payments", "main", ".goldenpath.yaml")
		w.push("main", map[string]string{".goldenpath.yaml": strings.Replace(member, "team: core", "team: edge", 1)})
		w.until("a pull request brings what follows", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		body := w.pull("acme/payments", ourBranch).Body
		if !strings.Contains(body, "all the same: the inputs changed.\n") || strings.Contains(body, "new version") {
			w.Errorf("the description is\n%s", body)
		}
	})
}

func TestWalkKeep(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		pr := w.conflicting()
		w.says(w.order("/syncer keep lines.txt"), "Nothing was changed", "say why")
		w.says(w.order("/syncer keep nowhere/** because of reasons"), "Nothing was changed", "nowhere/**")
		w.says(w.order("/syncer keep lines.txt until 2001-01-01 because of reasons"), "2001-01-01 is over")
		w.says(w.order("/syncer keep lines.txt until 2999-12-31 because it is *ours*"), "stays as it is until 2999-12-31")
		member := w.file("acme/payments", ourBranch, ".goldenpath.yaml")
		if !strings.Contains(member, "path: lines.txt") || !strings.Contains(member, "reason: it is *ours*") || !strings.Contains(member, "name: payments") {
			w.Errorf(".goldenpath.yaml is\n%s", member)
		}
		w.decided()
		if w.file("acme/payments", ourBranch, "ci.yaml") != "ci: 2\n" {
			w.Error("the rest of the version is gone")
		}
		if !w.rest {
			w.must(w.alice.MergePull("acme/payments", pr.Number, "merge"))
			w.until("the member is current", func() bool {
				members, _, _ := w.db.Members(w.Context(), store.Filter{Contains: "payments"}, "", 0)
				return len(members) == 1 && members[0].Member.State == store.Current
			})
		}
	})
}

func TestWalkIgnore(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		first := w.pull("acme/payments", ourBranch)
		w.says(w.orderBy(w.hub.Person("mallory"), "/syncer ignore"), "Only somebody who may push")
		w.says(w.order("/syncer ignore"), "is ignored")
		if pr := w.pull("acme/payments", ourBranch); pr.State != "closed" {
			w.Fatal("the pull request is open")
		}
		// A change that is none of the golden path's does not bring it back; the next version does.
		w.push("main", map[string]string{"mine.txt": "mine\n"})
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); pr.Number != first.Number {
			w.Fatalf("#%d came although the version is ignored", pr.Number)
		}
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.until("the next version comes", func() bool {
			pr := w.pull("acme/payments", ourBranch)
			return pr.Number != first.Number && pr.State == "open"
		})
	})
}

func TestWalkPin(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		first := w.pull("acme/payments", ourBranch)
		w.says(w.order("/syncer pin v9.9.9"), "Nothing was changed", "v9.9.9")
		w.says(w.order("/syncer pin until tomorrow"), "Nothing was changed", "2027-03-31")
		w.says(w.order("/syncer pin until 2999-12-31"), "svc stays at", "until 2999-12-31")
		if got := w.file("acme/payments", "main", ".goldenpath.yaml"); !strings.Contains(got, "pin: ") || !strings.Contains(got, "# Which golden paths") {
			w.Errorf(".goldenpath.yaml is\n%s", got)
		}
		if pr := w.pull("acme/payments", ourBranch); pr.State != "closed" {
			w.Error("the pull request about what is newer is open")
		}
		// Where no branch takes it, syncer says what to do, and does nothing else.
		w.must(w.alice.AddRuleset("acme/payments", "main", "branch", []string{"~DEFAULT_BRANCH"}, localhub.Rule{Type: "pull_request"}))
		w.must(w.alice.AddRuleset("acme/payments", "edits", "branch", []string{"refs/heads/goldenpath-edits"}, localhub.Rule{Type: "creation"}))
		w.says(w.order("/syncer unpin"), "protected", "goldenPaths:")
		if first.Number != w.pull("acme/payments", ourBranch).Number {
			w.Error("there is another pull request")
		}
	})
}

func TestWalkUnknownOrderIsAnswered(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		w.says(w.order("/syncer dance @alice"), "not an order", "/syncer take theirs")
		w.says(w.order("/syncer help"), "/syncer keep")
		w.says(w.order("please\n/syncer take ours ci.yaml\n/syncer sync"), "ci.yaml has no conflict", "Looked again")
	})
}

func TestWalkTellsWhatChangedAndWhy(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		const evil = "````\n</details> @alice fixes #1\n````"
		_, err := w.alice.Push("acme/platform", "main", "Serve on 8080, fixes https://github.com/acme/payments/issues/1 by @alice\n\nlong", localhub.Edit{Files: map[string]string{
			"goldenpaths/svc/template/ci.yaml": "ci: 2\n", "goldenpaths/svc/CHANGELOG.md": "# Changes\n\n## 2.0.0\n\n- a port\n\n" + evil + "\n",
		}})
		w.must(err)
		_, err = w.alice.Push("acme/platform", "main", "Nobody hears of this", localhub.Edit{Files: map[string]string{"README.md": "x\n"}})
		w.must(err)
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		body := w.pull("acme/payments", ourBranch).Body
		w.says(body, "## 2.0.0", "- a port", "Serve on 8080", "`````\n## 2.0.0", "/compare/")
		for _, bad := range []string{"by @alice", "fixes https://", "Nobody hears"} {
			if strings.Contains(body, bad) {
				w.Errorf("the description has %q:\n%s", bad, body)
			}
		}
		if n := strings.Count(body, "Serve on 8080"); n != 1 {
			w.Errorf("the commit is told %d times", n)
		}
	})
}

func TestWalkLabelsAndReviewersAtCreation(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.must(w.alice.Grant("acme/payments", "bob", "write"))
		w.push("main", map[string]string{".github/CODEOWNERS": "* @alice\nci.yaml @bob @stranger @other/team\n"})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		pr := w.pull("acme/payments", ourBranch)
		if !slices.Equal(pr.Labels, []string{"golden-path"}) || !slices.Equal(pr.Reviewers, []string{"bob"}) {
			w.Errorf("labels %v, reviewers %v", pr.Labels, pr.Reviewers)
		}
		// What people make of the labels stays.
		w.must(w.alice.SetLabels("acme/payments", pr.Number, "later"))
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 3\n"})
		w.until("the next version is on the branch", func() bool { return w.file("acme/payments", ourBranch, "ci.yaml") == "ci: 3\n" })
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); !slices.Equal(pr.Labels, []string{"later"}) {
			w.Errorf("labels %v", pr.Labels)
		}
	})
}

// automerging is a member that lets clean pull requests be merged by themselves.
func (w *world) automerging(protection *localhub.Protection) {
	w.Helper()
	w.payments()
	w.must(w.alice.SetTraits("acme/payments", localhub.Traits{AutoMerge: true}))
	w.push("main", map[string]string{".goldenpath.yaml": w.file("acme/payments", "main", ".goldenpath.yaml") + "sync: {automerge: clean}\n"})
	w.settle()
	w.must(w.alice.Protect("acme/payments", "main", protection))
}

func TestWalkMergesCleanPullRequestsByItself(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.automerging(&localhub.Protection{Checks: []string{"ci"}})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		pr := w.pull("acme/payments", ourBranch)
		if w.rest { // GitHub offers it by GraphQL alone
			if pr.AutoMerge {
				w.Error("merged by itself without GraphQL")
			}
			return
		}
		if !pr.AutoMerge || pr.State != "open" {
			w.Fatalf("it is not to be merged by itself: %+v", pr)
		}
		// Somebody works on the branch: it is theirs to merge.
		w.push(ourBranch, map[string]string{"fix.txt": "fix\n"})
		w.until("it is not merged by itself any more", func() bool { return !w.pull("acme/payments", ourBranch).AutoMerge })
		w.settle()
		w.order("/syncer recreate --force")
		pr = w.pull("acme/payments", ourBranch)
		if !pr.AutoMerge {
			w.Fatal("it is not to be merged by itself again")
		}
		w.must(w.alice.CompleteCheck("acme/payments", pr.HeadID, "ci", "success"))
		w.until("the member is current", func() bool { return w.records()["payments"].Member.State == store.Current })
		if got := w.file("acme/payments", "main", "ci.yaml"); got != "ci: 2\n" {
			w.Errorf("ci.yaml is %q", got)
		}
	})
}

func TestWalkMergesNothingThatNobodyChecks(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.automerging(&localhub.Protection{Reviews: 1})
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		pr := w.pull("acme/payments", ourBranch)
		if pr.AutoMerge {
			w.Error("it is to be merged by itself, and no check is required")
		}
		events, err := w.db.Events(w.Context(), 0, "", 20)
		w.must(err)
		if !slices.ContainsFunc(events, func(e store.Event) bool { return strings.Contains(e.What, "requires no check") }) {
			w.Errorf("nothing says why: %+v", events)
		}
	})
}

func TestWalkMergesNoConflictByItself(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.automerging(nil)
		w.must(w.alice.AddRuleset("acme/payments", "main", "branch", []string{"~DEFAULT_BRANCH"}, localhub.Rule{Type: "required_status_checks", Parameters: map[string]any{"strict_required_status_checks_policy": false, "required_status_checks": []any{map[string]any{"context": "ci"}}}}))
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		if got := w.pull("acme/payments", ourBranch).AutoMerge; got == w.rest {
			w.Errorf("merged by itself: %v", got)
		}
		w.must(w.alice.Protect("acme/payments", "main", nil))
		// On the branch the member's line and the next version's are in conflict.
		w.push(ourBranch, map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": linesV2})
		w.until("it asks", func() bool { return strings.Contains(w.pull("acme/payments", ourBranch).Body, "To decide") })
		w.settle()
		if pr := w.pull("acme/payments", ourBranch); pr.AutoMerge {
			w.Error("a pull request with a conflict is to be merged by itself")
		}
	})
}

// readyBefore is a member whose pull request has all that is required before it is asked
// for to be merged by itself, which GitHub refuses then.
func (w *world) readyBefore() *localhub.Pull {
	w.Helper()
	w.payments()
	w.must(w.alice.SetTraits("acme/payments", localhub.Traits{AutoMerge: true}))
	w.must(w.alice.Protect("acme/payments", "main", &localhub.Protection{Checks: []string{"ci"}}))
	w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
	w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
	w.settle()
	pr := w.pull("acme/payments", ourBranch)
	w.must(w.alice.CompleteCheck("acme/payments", pr.HeadID, "ci", "success"))
	return pr
}

// wish makes the member ask for merging by itself.
func (w *world) wish() {
	w.Helper()
	w.push("main", map[string]string{".goldenpath.yaml": w.file("acme/payments", "main", ".goldenpath.yaml") + "sync: {automerge: clean}\n"})
}

// TestMergesWhatWaitsForNothing: GitHub does not take a wish to merge later what can be
// merged now, and it may be that the base moves meanwhile.
func TestMergesWhatWaitsForNothing(t *testing.T) {
	for name, refusal := range map[string]*localhub.Fault{
		"at once":                 nil,
		"the base moves":          {Kind: localhub.FaultStatus, Status: 405, Message: "Base branch was modified. Review and try the merge again."},
		"the base is in conflict": {Kind: localhub.FaultStatus, Status: 409, Message: "Head branch was modified. Review and try the merge again."},
		"the answer is lost":      {Kind: localhub.FaultReset, Done: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{})
			pr := w.readyBefore()
			var asked atomic.Int32
			fault := func(r localhub.Request) localhub.Fault {
				if refusal != nil && r.Method == http.MethodPut && strings.HasSuffix(r.Path, "/merge") && asked.Add(1) == 1 {
					return *refusal
				}
				return localhub.Fault{}
			}
			w.fault.Store(&fault)
			w.wish()
			if refusal != nil {
				w.until("GitHub was asked", func() bool { return asked.Load() > 0 })
				w.ahead.Store(int64(2 * time.Minute))
				w.hurry()
			}
			w.until("the member is current", func() bool { return w.records()["payments"].Member.State == store.Current })
			w.settle()
			if got := w.file("acme/payments", "main", "ci.yaml"); got != "ci: 2\n" {
				t.Errorf("ci.yaml is %q", got)
			}
			if said := w.commentsOf(pr.Number); len(said) > 0 {
				t.Errorf("it is told: %+v", said)
			}
		})
	}
}

// TestToldOnceThatItIsNotMergedByItself: a refusal that lasts is said once, and asked
// about again when a person orders that. One that could have passed is one after a day.
func TestToldOnceThatItIsNotMergedByItself(t *testing.T) {
	t.Parallel()
	t.Run("not allowed", func(t *testing.T) {
		t.Parallel()
		w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{})
		w.automerging(&localhub.Protection{Checks: []string{"ci"}})
		w.must(w.alice.SetTraits("acme/payments", localhub.Traits{}))
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 2\n"})
		w.until("a pull request is open", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		number := w.pull("acme/payments", ourBranch).Number
		for range 2 {
			w.sweepNow()
		}
		said := w.commentsOf(number)
		if len(said) != 1 || !strings.Contains(said[0].Body, "Auto merge is not allowed for this repository") || !strings.Contains(said[0].Body, "/syncer sync") {
			t.Fatalf("it is told %+v, want once, and why", said)
		}
		w.must(w.alice.SetTraits("acme/payments", localhub.Traits{AutoMerge: true}))
		w.sweepNow()
		if w.pull("acme/payments", ourBranch).AutoMerge {
			t.Error("it was asked for again, and nobody ordered it")
		}
		w.order("/syncer sync")
		if pr := w.pull("acme/payments", ourBranch); !pr.AutoMerge || !strings.Contains(w.commentsOf(number)[0].Body, "takes it now") {
			t.Errorf("after an order: %v, and it is told %+v", pr.AutoMerge, w.commentsOf(number))
		}
	})
	t.Run("for a day", func(t *testing.T) {
		t.Parallel()
		w := newVariant(t, storetest.Open(t, storetest.SQLite(t)), variant{})
		pr := w.readyBefore()
		fault := func(r localhub.Request) localhub.Fault {
			if r.Method == http.MethodPut && strings.HasSuffix(r.Path, "/merge") {
				return localhub.Fault{Kind: localhub.FaultStatus, Status: 405, Message: "Pull Request is not mergeable"}
			}
			return localhub.Fault{}
		}
		w.fault.Store(&fault)
		asked := func() (n int) {
			for _, r := range w.hub.Requests() {
				if r.Method == http.MethodPut && strings.HasSuffix(r.Path, "/merge") {
					n++
				}
			}
			return n
		}
		w.wish()
		w.until("GitHub was asked", func() bool { return asked() > 0 && w.resting() })
		first := asked()
		w.must(w.service.Sweep(t.Context()))
		w.until("GitHub was asked with the next sweep", func() bool { return asked() > first && w.resting() })
		before := asked()
		if said := w.commentsOf(pr.Number); len(said) > 0 {
			t.Errorf("it is told %+v", said)
		}
		w.ahead.Store(int64(25 * time.Hour))
		w.hurry()
		for range 3 {
			w.sweepNow()
		}
		if n, said := asked(), w.commentsOf(pr.Number); n != before+1 || len(said) != 1 || !strings.Contains(said[0].Body, "not mergeable") {
			t.Errorf("after a day it was asked for %d times, want once, and told %+v", n-before, said)
		}
	})
}

func TestWalkSuggestsTheGoldenPathsSide(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.payments()
		w.push("main", map[string]string{"lines.txt": strings.Replace(lines, "seven", "mine", 1)})
		w.release(map[string]string{"goldenpaths/svc/template/lines.txt": strings.Replace(linesV2, "five", "FIVE", 1)})
		w.until("a pull request asks", func() bool { return w.pull("acme/payments", ourBranch) != nil })
		w.settle()
		pr := w.pull("acme/payments", ourBranch)
		want := localhub.Remark{Author: "syncer[bot]", Path: "lines.txt", End: 7, Body: "```suggestion\nSEVEN\n```"}
		if len(pr.Remarks) != 1 {
			w.Fatalf("there are the remarks %+v", pr.Remarks)
		}
		got := pr.Remarks[0]
		if !strings.HasSuffix(got.Body, want.Body) || got.Path != want.Path || got.End != want.End || got.Author != want.Author {
			w.Errorf("the remark is %+v, want %+v", got, want)
		}
		// Another look says nothing twice; taking the suggestion decides.
		w.order("/syncer sync")
		if n := len(w.pull("acme/payments", ourBranch).Remarks); n != 1 {
			w.Errorf("there are %d remarks", n)
		}
		w.push(ourBranch, map[string]string{"lines.txt": strings.Replace(linesV2, "five", "FIVE", 1)})
		w.until("the check succeeds", func() bool { return w.checkOf(w.pull("acme/payments", ourBranch).HeadID).Conclusion == "success" })
		w.settle()
		w.decided()
	})
}

// Without the permission for checks the pull request is a draft all the same, and
// nothing fails.
func TestWalkConflictWithoutThePermissionForChecks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.Store) {
		w := newVariant(t, db, variant{without: "checks"})
		w.payments()
		pr := w.conflicting()
		if !pr.Draft || w.checkOf(pr.HeadID).ID != 0 || !slices.Equal(pr.Labels, []string{"golden-path"}) {
			w.Errorf("the pull request is %+v", pr)
		}
		w.says(w.order("/syncer take theirs lines.txt"), "Took theirs")
		if pr := w.pull("acme/payments", ourBranch); pr.Draft {
			w.Error("it is decided, and still a draft")
		}
		if m := w.records()["payments"].Member; m.Error != "" {
			w.Errorf("the member failed: %s", m.Error)
		}
	})
}
