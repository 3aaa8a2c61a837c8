package walks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// foreseen is what a resolver will suggest in a file, and to how many members.
type foreseen struct {
	path, resolver string
	members        int
	places         int // of all members together
	applied        int // as many of them by a policy
	reason         string
}

// foresee counts what is suggested to a member. The reason is shown where the member
// is named: it may quote the file.
func (e *pathEffect) foresee(p *reconcile.Planned, named bool) {
	here := map[string]bool{}
	for _, c := range p.Changes {
		for _, h := range c.Places() {
			if h.Tier != merge.Suggested || c.Action != drift.Conflict && !h.Applied {
				continue
			}
			key := c.Path + "\x00" + h.Resolver
			s := e.foreseen[key]
			if s == nil {
				s = &foreseen{path: c.Path, resolver: h.Resolver}
				e.foreseen[key] = s
			}
			s.places++
			if h.Applied {
				s.applied++
			}
			if !here[key] {
				here[key] = true
				s.members++
			}
			if named && s.reason == "" {
				s.reason = h.Reason
			}
		}
	}
}

// maxForeseen is how many of the suggestions are listed for one golden path.
const maxForeseen = 30

// suggested lists what will be suggested, what meets most members first.
func (e *pathEffect) suggested(b *body) {
	if len(e.foreseen) == 0 {
		return
	}
	all := slices.SortedFunc(maps.Values(e.foreseen), func(x, y *foreseen) int {
		return cmp.Or(y.members-x.members, strings.Compare(x.path, y.path), strings.Compare(x.resolver, y.resolver))
	})
	b.add("\nSuggested, in places that both the golden path and a repository changed:\n\n")
	for _, s := range all[:min(len(all), maxForeseen)] {
		line := fmt.Sprintf("- %s, by %s: %s in %s", code(s.path), code(s.resolver), counted(s.places, "place"), counted(s.members, "repository"))
		switch s.applied {
		case 0:
		case s.places:
			line += ", applied by policy"
		default:
			line += fmt.Sprintf(", %d of them applied by policy", s.applied)
		}
		if s.reason != "" {
			line += "; " + plain(s.reason)
		}
		b.add("%s\n", line)
	}
	if more := len(all) - maxForeseen; more > 0 {
		b.add("- and %d more\n", more)
	}
}

// counted is a number with what it counts.
func counted(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}
