package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/store"
)

// aFifthFails makes one call in five fail, in any way, before or after it took effect,
// and counts them. What GitHub answers then may be a lie: that there is no such
// thing, that it may not be done.
type aFifthFails struct {
	mu           sync.Mutex
	random       *rand.Rand
	calls, broke int
}

func (f *aFifthFails) fault(localhub.Request) localhub.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.random.IntN(5) != 0 {
		return localhub.Fault{}
	}
	f.broke++
	done := f.random.IntN(2) == 0
	answers := []int{403, 404, 409, 422, 429, 500, 502, 503}
	switch n := f.random.IntN(len(answers) + 4); {
	case n < len(answers):
		fault := localhub.Fault{Kind: localhub.FaultStatus, Status: answers[n], Done: done}
		if answers[n] == http.StatusTooManyRequests {
			fault.Header = http.Header{"Retry-After": {"0"}}
		}
		return fault
	case n == len(answers):
		return localhub.Fault{Kind: localhub.FaultTruncate}
	case n == len(answers)+1:
		// Not for long: git, which nobody makes give up, would wait for half a minute.
		return localhub.Fault{Kind: localhub.FaultHang, Done: done, Hang: time.Second / 10}
	}
	return localhub.Fault{Kind: localhub.FaultReset, Done: done}
}

// tryNow lets what waits to be tried again be tried at once.
const tryNow = `UPDATE river_job SET state = 'available', scheduled_at = created_at WHERE state IN ('scheduled', 'retryable')`

// hurry lets what waits to be tried again be tried at once, until the test ends: the
// distances between attempts are another test's.
func (w *world) hurry() {
	ctx, cancel := context.WithCancel(w.Context())
	var over sync.WaitGroup
	over.Go(func() {
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				_, err := w.db.DB().ExecContext(ctx, tryNow)
				if err != nil && ctx.Err() == nil {
					w.Log(err)
				}
			}
		}
	})
	w.Cleanup(func() { cancel(); over.Wait() })
}

// TestAFifthOfAllCallsFails plays the walks while one call in five fails: there is one
// branch, one pull request and one issue of each, and everything comes to its end.
func TestAFifthOfAllCallsFails(t *testing.T) {
	everyWorld(t, variant{late: true, attempts: 200, sweep: 5 * time.Second}, aFifthOfAllCallsFails)
}

func aFifthOfAllCallsFails(w *world) {
	w.Helper()
	w.patience = 3 * time.Minute
	w.publish()
	w.until("the template repository is published", func() bool { return w.file("acme/template-svc", "main", ".goldenpath.yaml") != "" })
	w.hurry()
	seed := rand.Uint64()
	w.Logf("seed %d", seed)
	faults := &aFifthFails{random: rand.New(rand.NewPCG(seed, 1))}
	inject := faults.fault
	w.fault.Store(&inject)
	w.faultStory()
	w.fault.Store(nil)
	w.settle()
	w.oneForEach()
	w.settle()
	w.once()
	w.Logf("%d of %d calls failed", faults.broke, faults.calls)
}

// faulted are the members of the story; the last one has to be asked for its team.
var faulted = []string{"acme/one", "acme/two", "acme/three", "acme/asked"}

func (w *world) faultStory() {
	for _, name := range faulted[:3] {
		w.useTemplate(name, localhub.NewRepository{Properties: map[string]any{"team": "core"}})
	}
	w.useTemplate(faulted[3], localhub.NewRepository{})
	var issue int
	w.until("the missing input is asked for", func() bool {
		issues, _ := w.hub.Issues(faulted[3])
		for _, i := range issues {
			if i.State == "open" && strings.Contains(i.Body, "/syncer set team=") {
				issue = i.Number
			}
		}
		return issue != 0
	})
	_, err := w.alice.Comment(faulted[3], issue, "/syncer set team=core")
	w.must(err)
	for _, name := range faulted {
		w.until(name+" is rendered", func() bool { return w.file(name, "main", "lines.txt") == lines })
	}
	for v := 2; v <= 3; v++ {
		ci := fmt.Sprintf("ci: %d\n", v)
		w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": ci})
		for _, name := range faulted {
			w.until(fmt.Sprintf("%s is offered version %d", name, v), func() bool {
				p := w.pull(name, "goldenpath/svc")
				return p != nil && p.State == "open" && w.file(name, "goldenpath/svc", "ci.yaml") == ci
			})
		}
		w.until("no member's work is left", w.membersIdle)
		for _, name := range faulted {
			w.must(w.alice.MergePull(name, w.pull(name, "goldenpath/svc").Number, "merge"))
		}
		w.until("every member is current", func() bool { return w.standing(store.Current) == len(faulted) })
	}
	w.conflictStory()
}

// torn are the members that change the same line as version 4; the others get it as it
// is.
var torn = faulted[1:3]

func (w *world) conflictStory() {
	w.Helper()
	mine := strings.Replace(lines, "seven", "mine", 1)
	for _, name := range torn {
		_, err := w.alice.Push(name, "main", "our own", localhub.Edit{Files: map[string]string{"lines.txt": mine}})
		w.must(err)
	}
	w.release(map[string]string{"goldenpaths/svc/template/ci.yaml": "ci: 4\n", "goldenpaths/svc/template/lines.txt": linesV2})
	for _, name := range faulted {
		w.until(name+" is offered version 4", func() bool {
			p := w.pull(name, ourBranch)
			return p != nil && p.State == "open" && w.file(name, ourBranch, "ci.yaml") == "ci: 4\n"
		})
	}
	w.until("every conflict has its check", func() bool {
		return !slices.ContainsFunc(torn, func(name string) bool {
			return w.checkIn(name, w.pull(name, ourBranch).HeadID).Conclusion != "failure"
		})
	})
	w.until("no member's work is left", w.membersIdle)
}

// oneForEach looks whether each member has exactly one right pull request for version
// 4, and each conflict its check.
func (w *world) oneForEach() {
	w.Helper()
	for _, name := range faulted {
		open := slices.DeleteFunc(w.pulls(name), func(p localhub.Pull) bool { return p.State != "open" })
		conflict := slices.Contains(torn, name)
		wants := map[bool]string{false: linesV2, true: strings.Replace(lines, "seven", "mine", 1)}[conflict]
		if len(open) != 1 || w.file(name, ourBranch, "lines.txt") != wants || open[0].Draft != conflict || strings.Contains(open[0].Body, toDecide) != conflict {
			w.Fatalf("%s: the pull requests are %+v, lines.txt is %q", name, open, w.file(name, ourBranch, "lines.txt"))
		}
		checks, err := w.hub.Checks(name)
		w.must(err)
		checks = slices.DeleteFunc(checks, func(c localhub.Check) bool { return c.Head != open[0].HeadID || c.Name != "syncer / svc" })
		if conflict != (len(checks) == 1 && checks[0].Conclusion == "failure" && checks[0].Status == "completed") || !conflict && len(checks) > 0 {
			w.Errorf("%s: the checks of %s are %+v", name, open[0].HeadID, checks)
		}
		if got := w.records()[strings.TrimPrefix(name, "acme/")].Member; got.PullRequest != int64(open[0].Number) || got.State != map[bool]store.State{false: store.Behind, true: store.Conflict}[conflict] {
			w.Errorf("%s is remembered as %+v", name, got)
		}
		if err := w.alice.MergePull(name, open[0].Number, "merge"); (err == nil) == conflict {
			w.Errorf("%s: merging says %v", name, err)
		}
	}
}

const toDecide = "### To decide"

func (w *world) standing(state store.State) int {
	members, _, err := w.db.Members(w.Context(), store.Filter{State: state}, "", 0)
	w.must(err)
	return len(members)
}

// membersIdle reports whether no work on members waits or runs.
func (w *world) membersIdle() bool {
	w.Helper()
	waiting, err := w.service.work.Waiting(w.Context())
	w.must(err)
	for _, kind := range []string{"member", "paths-changed", "scaffold", "set-up", "decision", "command"} {
		for state, n := range waiting[kind] {
			if n > 0 && state != "completed" && state != "cancelled" && state != "discarded" {
				return false
			}
		}
	}
	return true
}

// once looks whether everything is there exactly once.
func (w *world) once() {
	w.Helper()
	for _, name := range faulted {
		pulls, err := w.hub.Pulls(name)
		w.must(err)
		last := len(pulls) - 1 // the one that waits for a decision, where there is a conflict
		for i, p := range pulls {
			if waits := i == last && slices.Contains(torn, name); !p.Merged && !waits {
				w.Errorf("%s#%d is %s and not merged", name, p.Number, p.State)
			}
		}
		if len(pulls) != 3 {
			w.Errorf("%s has %d pull requests, want one for each version", name, len(pulls))
		}
		branches, err := w.hub.Branches(name)
		w.must(err)
		if len(branches) != 2 {
			w.Errorf("%s has the branches %v", name, branches)
		}
		if got := w.file(name, "main", "ci.yaml"); got != map[bool]string{false: "ci: 4\n", true: "ci: 3\n"}[slices.Contains(torn, name)] {
			w.Errorf("%s: ci.yaml is %q", name, got)
		}
		if !w.happened(name, "repository set up") {
			w.Errorf("%s: the steps after the first commit were not done", name)
		}
		issues, err := w.hub.Issues(name)
		w.must(err)
		titles := map[string]int{}
		for _, i := range issues {
			if titles[i.Title]++; i.State != "closed" || titles[i.Title] > 1 {
				w.Errorf("%s: issue %d is %s: %s\n%s", name, i.Number, i.State, i.Title, i.Body)
			}
			said := map[string]int{}
			for _, c := range i.Comments {
				if said[c.Body]++; said[c.Body] > 1 {
					w.Errorf("%s#%d has a comment twice: %s", name, i.Number, c.Body)
				}
			}
		}
	}
}

// happened reports whether the log has an event of a repository.
func (w *world) happened(name, kind string) bool {
	w.Helper()
	members, _, err := w.db.Members(w.Context(), store.Filter{Contains: name, WithArchived: true}, "", 0)
	w.must(err)
	if len(members) == 0 {
		w.Fatalf("%s is not a member", name)
	}
	events, err := w.db.Events(w.Context(), members[0].Repository.ID, "", 500)
	w.must(err)
	return slices.ContainsFunc(events, func(e store.Event) bool { return e.Kind == kind })
}
