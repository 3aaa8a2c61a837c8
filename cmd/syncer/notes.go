package main

import (
	"fmt"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// notes are what people have to know of a plan beside its changes: what it could not
// rest on, and what in the repository has no effect.
type notes struct {
	Unfollowed []string `json:"unfollowed,omitempty"` // golden paths that are followed no more
	Unlocked   bool     `json:"unlocked,omitempty"`   // the lock does not have the golden path
	Idle       []string `json:"idle,omitempty"`       // entries of keep that match no file
	BaseGone   string   `json:"baseGone,omitempty"`   // which version cannot be rendered any more, and why
}

func notesOf(p *reconcile.Planned) notes {
	n := notes{Unfollowed: p.Unfollowed, Unlocked: p.Unlocked, Idle: p.Idle}
	if p.BaseGone != nil {
		n.BaseGone = p.BaseGone.Error()
	}
	return n
}

func (a *app) printNotes(goldenPath string, n notes) {
	note := func(format string, args ...any) { fmt.Fprintf(a.out, "  note: "+format+"\n", args...) }
	for _, name := range n.Unfollowed {
		note("%s is not followed any more; its files stay, and are yours", name)
	}
	if n.Unlocked {
		note("%[1]s does not have %[2]s, so that each of its files counts as new here; if the lock was lost, take it back (git log -- %[1]s), or make it anew: syncer adopt %[2]s", drift.LockName, goldenPath)
	}
	if n.BaseGone != "" {
		note("%s; bases come from this repository's history where they are there", n.BaseGone)
	}
	for _, keep := range n.Idle {
		note("%s", keep)
	}
}
