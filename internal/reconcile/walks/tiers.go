package walks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/reconcile"
)

// isSide reports whether a word of an order says what to take.
func isSide(word string) bool {
	_, err := drift.ParseSide(word)
	return err == nil
}

// suggestedMark is in the line of the box that takes what is suggested for a file.
func suggestedMark(path string) string {
	return "<!-- syncer:suggested " + html.EscapeString(path) + " -->"
}

// suggestedPaths returns the paths for which a ticked line takes what is suggested,
// but for those that are decided otherwise.
func suggestedPaths(lines, otherwise []string) []string {
	var paths []string
	for _, line := range lines {
		_, rest, ok := strings.Cut(line, "<!-- syncer:suggested ")
		path, _, end := strings.Cut(rest, " -->")
		if path = html.UnescapeString(path); ok && end && !slices.Contains(otherwise, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// suggestion offers what is suggested for a file with conflicts, with a box to take
// it. To tick the box for the golden path's, or to leave it, refuses it.
func (b *body) suggestion(c drift.Change) {
	if !c.Suggests() {
		return
	}
	b.add("\n- [ ] take suggested %s %s\n", code(c.Path), suggestedMark(c.Path))
	for _, cl := range c.Clashes {
		if cl.Tier != merge.Suggested {
			continue
		}
		text := cl.Proposal
		if text == nil && cl.Theirs == nil {
			b.add("\n  - %s: to remove it, by %s\n", where(c.Path, cl.Line), code(cl.Resolver))
			continue
		}
		b.add("\n  - %s, by %s: %s\n\n<details><summary>what is suggested</summary>\n\n%s\n</details>\n", where(c.Path, cl.Line), code(cl.Resolver), plain(cl.Reason), fenced(shown(text)))
	}
}

// told lists what resolvers decided without asking anybody, with what was there
// before.
func (b *body) told(p *reconcile.Planned) {
	b.places(p, "### Merged by a resolver", "Both sides changed these places, and it is safe to say what becomes of them.", func(h merge.Hunk) bool {
		return h.Applied && h.Tier == merge.Merged && h.Resolver != merge.Decided
	})
	b.places(p, "### Suggested, and applied", "Both sides changed these places, and this is probably what should become of them. The policy of this repository or of the golden path applies it; tick a box below, or change the file on this branch, where it is wrong.", func(h merge.Hunk) bool {
		return h.Applied && h.Tier == merge.Suggested
	})
	for _, c := range p.Changes {
		b.add("%s", refusal(c))
		if c.Given() != nil {
			b.add("\n- [ ] take the golden path's %s, this once %s\n", code(c.Path), takeMark(c.Path))
		}
	}
	b.WriteString("\n" + tiersMark(p) + "\n") // however long the rest is
}

// policies lists what policies did with files, before all that may be too long to be
// shown: what they remove is named.
func (b *body) policies(p *reconcile.Planned) {
	first := true
	for _, c := range p.Changes {
		line := byPolicy(c)
		if line == "" {
			continue
		}
		if first {
			b.add("\n### Decided by policy\n\n")
			first = false
		}
		b.add("- %s\n", line)
	}
}

// places lists the places that which chooses, each with its resolver, its reason and
// its versions.
func (b *body) places(p *reconcile.Planned, heading, about string, which func(merge.Hunk) bool) {
	first := true
	for _, c := range p.Changes {
		for _, h := range c.Hunks {
			if !which(h) {
				continue
			}
			if first {
				b.add("\n%s\n\n%s\n\n", heading, about)
				first = false
			}
			b.add("- %s, by %s: %s\n", where(c.Path, h.OursLine), code(h.Resolver), plain(h.Reason))
			b.add("%s", sides(h))
		}
	}
}

// sides shows the versions of a place, folded.
func sides(h merge.Hunk) string {
	var b strings.Builder
	b.WriteString("\n<details><summary>what it was made from</summary>\n")
	for _, side := range []struct {
		name string
		text []byte
	}{{"what both began with", h.Base}, {"yours", h.Ours}, {"the golden path's", h.Theirs}, {"what became of it", h.Text()}} {
		fmt.Fprintf(&b, "\n%s:\n\n%s", side.name, fenced(shown(side.text)))
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

// byPolicy tells what a policy did with a file, "" where none did anything. What was
// the member's is named by its object, so that it is found again.
func byPolicy(c drift.Change) string {
	line := code(c.Path) + ": " + plain(c.Reason)
	replaced := c.Before != nil && (c.Action == drift.Replace || c.Action == drift.Delete && c.Policy != "")
	switch {
	case c.Policy == "" && !replaced:
		return ""
	case c.Policy != "":
		line += " (" + code(c.Policy) + ")"
	}
	if replaced {
		line += fmt.Sprintf("; %s brings yours back", code("git cat-file blob "+string(c.Before.Blob())+" > "+c.Path))
	}
	if c.Run != "" {
		line += "; run " + code(c.Run)
	}
	return line
}

func where(path string, line int) string {
	if line == 0 {
		return code(path)
	}
	return fmt.Sprintf("%s, line %d", code(path), line)
}

// tiersMark identifies what the description says about places. Where it changes, as
// when other members have decided something, the description is written anew, and the
// branch stays as it is.
func tiersMark(p *reconcile.Planned) string {
	h := sha256.New()
	for _, c := range p.Changes {
		for _, place := range c.Places() {
			fmt.Fprintf(h, "%q %s %s %q %q\n", c.Path, place.Tier, place.Resolver, place.Reason, place.Proposal)
		}
		if c.Policy != "" {
			fmt.Fprintf(h, "%q %s %s\n", c.Path, c.Policy, c.Run)
		}
	}
	return fmt.Sprintf("<!-- syncer:says %s -->", hex.EncodeToString(h.Sum(nil))[:40])
}

// suggestions counts the files for which something is suggested, in words.
func suggestions(p *reconcile.Planned) []string {
	n := 0
	for _, c := range p.Changes {
		if c.Suggests() {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("something suggested for %d", n)}
}

// stillOpen says how many conflicts are left in files of which something was taken.
func stillOpen(taken []*reconcile.Resolution) string {
	open := 0
	for _, r := range taken {
		open += r.Open
	}
	if open == 0 {
		return ""
	}
	return fmt.Sprintf(" Conflicts for which nothing is suggested, and which are still to be decided: %d.", open)
}
