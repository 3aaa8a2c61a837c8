package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/forge/localhub"
	"github.com/goldenpaths/syncer/internal/jobs"
	"github.com/goldenpaths/syncer/internal/store"
	"github.com/goldenpaths/syncer/internal/store/storetest"
)

// byHand runs the program with an environment, and returns what it says.
func byHand(t *testing.T, env []string, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "syncer", args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if ok {
		code = exit.ExitCode()
	}
	return code, stdout.String(), stderr.String()
}

// TestPublishByHand shows what it would do, does it, and finds it done.
func TestPublishByHand(t *testing.T) {
	t.Parallel()
	hub, app, env := hubWithApp(t)
	app.RequestPermissions(map[string]string{"contents": "write", "metadata": "read", "administration": "write", "pull_requests": "write", "issues": "write", "workflows": "write"})
	alice := hub.Person("alice")
	alice.Accept(hub.Installations("acme")[0])
	env = append(env, "SYNCER_URL=http://127.0.0.1:8080", "SYNCER_PLATFORM_REPOSITORY=acme/platform")
	if _, err := alice.Push("acme/platform", "main", "two more", localhub.Edit{Files: map[string]string{
		"goldenpaths/base/goldenpath.yaml":       "apiVersion: syncer/v1\nkind: GoldenPath\nname: base\ntitle: Base\ndescription: A layer\n",
		"goldenpaths/base/template/base.txt":     "base\n",
		"goldenpaths/layered/goldenpath.yaml":    "apiVersion: syncer/v1\nkind: GoldenPath\nname: layered\ntitle: Layered\ndescription: Of layers\nincludes: [base]\n",
		"goldenpaths/layered/template/own.txt":   "own\n",
		"goldenpaths/broken/goldenpath.yaml":     "apiVersion: syncer/v1\nkind: [\n",
		"goldenpaths/broken/template/broken.txt": "broken\n",
	}}); err != nil {
		t.Fatal(err)
	}
	code, out, errs := byHand(t, env, "publish", "svc", "layered")
	if code != exitDifferences || !strings.Contains(out, "svc: would create acme/template-svc with .goldenpath.lock, .goldenpath.yaml, README.md") {
		t.Fatalf("exit %d:\n%s%s", code, out, errs)
	}
	if _, err := hub.Files("acme/template-svc", "main"); err == nil {
		t.Error("a repository was made without --push")
	}
	if code, out, errs = byHand(t, env, "publish", "svc", "--push", "--json"); code != 0 {
		t.Fatalf("exit %d:\n%s%s", code, out, errs)
	}
	var done []publicationReport
	if err := json.Unmarshal([]byte(out), &done); err != nil || len(done) != 1 || !done[0].Done || done[0].Action != "create" || done[0].Repository != "acme/template-svc" {
		t.Errorf("it reports %s (%v)", out, err)
	}
	files, err := hub.Files("acme/template-svc", "main")
	if err != nil || files["README.md"] != "# The golden path svc\n" || !strings.Contains(files[".goldenpath.yaml"], "/acme/platform") {
		t.Errorf("the template repository has %v (%v)", files, err)
	}
	if code, out, errs = byHand(t, env, "publish", "svc"); code != 0 || !strings.Contains(out, "is as it shall be") {
		t.Errorf("exit %d:\n%s%s", code, out, errs)
	}
	for name, want := range map[string]string{"base": "base is a layer of layered", "nope": `no golden path "nope"; it has base, broken, layered, svc`} {
		if code, out, errs = byHand(t, env, "publish", name); code != exitFailed || !strings.Contains(errs, want) {
			t.Errorf("publish %s: exit %d:\n%s%s", name, code, out, errs)
		}
	}
	// One that cannot be read, or whose repository is somebody else's, is told; the
	// others are done.
	if err := alice.CreateRepository("acme/template-layered", localhub.NewRepository{Files: map[string]string{"a": "a\n"}}); err != nil {
		t.Fatal(err)
	}
	code, out, errs = byHand(t, env, "publish", "--push")
	if code != exitFailed || !strings.Contains(out, "layered: cannot be published as acme/template-layered: the repository exists and is no template") ||
		!strings.Contains(out, "broken: cannot be published") || !strings.Contains(out, "svc: acme/template-svc is as it shall be") {
		t.Errorf("exit %d:\n%s%s", code, out, errs)
	}
	if code, _, errs = byHand(t, env[len(env)-2:], "publish"); code != exitUsage || !strings.Contains(errs, "no GitHub App is configured") {
		t.Errorf("without an App: exit %d: %s", code, errs)
	}
}

// doomed is a job that nobody can do.
type doomed struct{ N int }

func (doomed) Kind() string { return "doomed" }

// TestJobsByHand lists and replays dead letters beside the server that works on the
// same database.
func TestJobsByHand(t *testing.T) {
	t.Parallel()
	storetest.EachAddress(t, func(t *testing.T, address string) {
		env := []string{"SYNCER_DATABASE=" + address}
		if strings.HasPrefix(address, "sqlite:") {
			if code, _, errs := byHand(t, env, "jobs"); code != exitFailed || !strings.Contains(errs, "it must be the file that the server works with") {
				t.Errorf("without a database: exit %d: %s", code, errs)
			}
			if _, err := os.Stat(strings.TrimPrefix(address, "sqlite:")); err == nil {
				t.Error("the verb has made a database")
			}
		}
		if code, _, errs := byHand(t, env, "jobs"); !strings.HasPrefix(address, "sqlite:") && (code != exitFailed || !strings.Contains(errs, "start the server once")) {
			t.Errorf("an empty database: exit %d: %s", code, errs)
		}
		db := storetest.Open(t, address)
		deliveriesByHand(t, db, env)
		outcomes := make(chan jobs.Outcome, 100)
		q := jobs.New(jobs.Config{DB: db.DB(), Pool: db.Pool(), Attempts: 1, Observe: func(o jobs.Outcome) {
			if o.Kind == "doomed" {
				outcomes <- o
			}
		}})
		jobs.Handle(q, func(_ context.Context, d doomed) error {
			if d.N == 1 {
				return jobs.PersonMustAct(errors.New("a person must grant it"))
			}
			return errors.New("it is broken\nand more")
		})
		workUntilEnd(t, q)
		if err := jobs.EnqueueNow(t.Context(), q, "guid-7", doomed{0}, doomed{1}, doomed{2}); err != nil {
			t.Fatal(err)
		}
		ended(t, outcomes, 3)
		letters := deadByHand(t, env, 3)
		person, failed := 0, 0
		for _, l := range letters {
			if l.Person && l.Error == "a person must grant it" {
				person++
			}
			if !l.Person && strings.HasPrefix(l.Error, "it is broken") && l.Attempts == 1 {
				failed++
			}
			if l.Kind != "doomed" || l.Delivery != "guid-7" || !strings.Contains(string(l.Args), `"N"`) {
				t.Errorf("a dead letter is %+v", l)
			}
		}
		if person != 1 || failed != 2 {
			t.Errorf("the dead letters are %+v", letters)
		}
		if code, out, _ := byHand(t, env, "jobs", "--dead", "--limit", "1"); code != 0 || strings.Count(out, " doomed ") != 1 || !strings.Contains(out, "There are more") || strings.Contains(out, "and more") {
			t.Errorf("exit %d:\n%s", code, out)
		}
		if code, out, _ := byHand(t, env, "jobs"); code != 0 || !strings.Contains(out, "doomed") || !strings.Contains(out, "cancelled") {
			t.Errorf("exit %d:\n%s", code, out)
		}
		id := strconv.FormatInt(letters[0].ID, 10)
		if code, out, errs := byHand(t, env, "jobs", "replay", id); code != 0 || !strings.Contains(out, "tried again: 1 job\n") {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
		if o := ended(t, outcomes, 1); o[0].Job != letters[0].ID {
			t.Errorf("job %d was done, want %s", o[0].Job, id)
		}
		deadByHand(t, env, 3)
		if code, out, errs := byHand(t, env, "jobs", "replay", "--all"); code != 0 || !strings.Contains(out, "tried again: 3 jobs\n") {
			t.Errorf("exit %d: %s%s", code, out, errs)
		}
		ended(t, outcomes, 3)
		for _, bad := range [][]string{{"replay"}, {"replay", "x"}, {"replay", "--all", id}} {
			if code, _, errs := byHand(t, env, append([]string{"jobs"}, bad...)...); code != exitUsage {
				t.Errorf("%v: exit %d: %s", bad, code, errs)
			}
		}
		if code, _, errs := byHand(t, env, "jobs", "replay", "999999"); code != exitFailed || !strings.Contains(errs, "not a dead letter") {
			t.Errorf("exit %d: %s", code, errs)
		}
	})
}

// workUntilEnd lets a queue work until the test ends.
func workUntilEnd(t *testing.T, q *jobs.Client) {
	t.Helper()
	if err := q.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// ended waits for jobs to end.
func ended(t *testing.T, outcomes <-chan jobs.Outcome, n int) (all []jobs.Outcome) {
	t.Helper()
	deadline := time.After(time.Minute)
	for len(all) < n {
		select {
		case o := <-outcomes:
			all = append(all, o)
		case <-deadline:
			t.Fatalf("%d jobs ended, want %d", len(all), n)
		}
	}
	return all
}

// deadByHand lists the dead letters, once River has recorded as many.
func deadByHand(t *testing.T, env []string, n int) []letterReport {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		code, out, errs := byHand(t, env, "jobs", "--dead", "--json")
		var letters []letterReport
		if err := json.Unmarshal([]byte(out), &letters); code != 0 || err != nil {
			t.Fatalf("exit %d: %s%s (%v)", code, out, errs, err)
		}
		if len(letters) == n {
			return letters
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d dead letters, want %d", len(letters), n)
		}
	}
}

// deliveriesByHand says what became of deliveries.
func deliveriesByHand(t *testing.T, db *store.Store, env []string) {
	t.Helper()
	for i, outcome := range []string{"", "nothing is done for this action"} {
		d := store.Delivery{GUID: "guid-" + strconv.Itoa(i), Event: "push", Received: time.Now(), Jobs: 1 - i, Outcome: outcome}
		if _, err := db.ProcessDelivery(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if code, out, errs := byHand(t, env, "deliveries"); code != 0 || !strings.Contains(out, "guid-0") || !strings.Contains(out, "nothing is done for this action") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	var one []deliveryReport
	code, out, errs := byHand(t, env, "deliveries", "guid-0", "--json")
	if err := json.Unmarshal([]byte(out), &one); code != 0 || err != nil || len(one) != 1 || one[0].Jobs != 1 || one[0].Event != "push" {
		t.Errorf("exit %d: %s%s (%v)", code, out, errs, err)
	}
	if code, _, errs := byHand(t, env, "deliveries", "guid-9"); code != exitFailed || !strings.Contains(errs, "delivery guid-9: not found") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
