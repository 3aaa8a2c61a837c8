package walks

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/reconcile"
	"github.com/goldenpaths/syncer/internal/tree"
)

// maxBody is how many characters a description may have, with room for what is
// said about the rest. GitHub takes 65,536.
const maxBody = 60_000

// maxCheck is how many characters a check's summary may have. GitHub takes 65,535
// bytes; forge cuts there, and a text of this length is whole in most scripts.
const maxCheck = 30_000

// maxSide is how much of one side of a conflict is shown, in bytes.
const maxSide = 4_000

// description is what a pull request and its commit say.
type description struct {
	title, body, message string
	// mark is in the body, and identifies what the pull request changes.
	mark string
}

// describe tells people what a sync does, file by file, and why; open is what they
// still have to decide, and why is what the platform says about the version.
func describe(p *reconcile.Planned, open []drift.Change, why story) description {
	d := description{title: fmt.Sprintf("Update %s to %s", p.GoldenPath, version(p.To))}
	if begins(p) {
		d.title = fmt.Sprintf("Begin with %s %s", p.GoldenPath, version(p.To))
	}
	d.mark = mark(p, open)
	b := body{limit: maxBody}
	switch {
	case begins(p):
		b.add("This repository begins with the golden path **%s** %s.\n", p.GoldenPath, p.To.Name())
	case p.Why != "":
		b.add("This repository has the golden path **%s** %s, and something is to be done all the same: %s.\n", p.GoldenPath, p.To.Name(), p.Why)
	case p.From.Name() == p.To.Name():
		b.add("This repository has the golden path **%s** %s.\n", p.GoldenPath, p.To.Name())
	default:
		b.add("The golden path **%s** has a new version: %s → %s.\n", p.GoldenPath, p.From.Name(), p.To.Name())
	}
	if p.BaseGone != nil {
		b.add("\n%s; what it rendered was taken from the repository's history where it is there.\n", plain(p.BaseGone.Error()))
	}
	if len(open) == 0 && len(p.ChangeSet.Writes()) == 0 {
		b.add("\nNo file of this repository's changes: this only notes the version in %s.\n", code(drift.LockName))
	}
	b.policies(p)
	b.conflicts(open)
	b.why(why)
	b.table(p, open)
	b.told(p)
	b.add("\nYour own edits are kept. Commits that you push to this branch stay; closing this pull request means “not this version”. `/syncer help` in a comment says what else can be asked for.\n")
	b.add("\n- [ ] build this branch anew from the default branch %s\n", recreateMark)
	d.body = b.end(d.mark)
	d.message = d.title + "\n\n" + summary(p)
	return d
}

// because says first why the default branch is not written to.
func (d description) because(refused error) description {
	d.body = noPush(refused) + ", so this is proposed.\n\n" + d.body
	return d
}

// noPush says in words why the default branch is not written to.
func noPush(refused error) string {
	if errors.Is(refused, ErrQueued) {
		return "The default branch takes changes through its merge queue only"
	}
	return "The default branch is protected"
}

func version(r drift.Revision) string {
	if r.Version != "" {
		return r.Version
	}
	return r.Name()
}

// mark is a digest of everything that the pull request changes.
func mark(p *reconcile.Planned, open []drift.Change) string {
	h := sha256.New()
	writes := p.ChangeSet.Writes()
	for _, path := range slices.Sorted(maps.Keys(writes)) {
		blob := tree.BlobID("gone")
		var kind tree.Kind
		if f := writes[path]; f != nil {
			blob, kind = f.Blob(), f.Kind
		}
		fmt.Fprintf(h, "%q %o %s\n", path, kind, blob)
	}
	for _, c := range p.Changes {
		for _, cl := range c.Clashes {
			fmt.Fprintf(h, "%q %s\n", c.Path, cl.ID())
		}
	}
	fmt.Fprintf(h, "%s\n", clashDigest(open))
	fmt.Fprintf(h, "%s %s\n", p.To.Version, p.To.Digest)
	return fmt.Sprintf("<!-- syncer %s %s -->", p.GoldenPath, hex.EncodeToString(h.Sum(nil))[:40])
}

func summary(p *reconcile.Planned) string {
	counts := map[drift.Action]int{}
	for _, c := range p.Changes {
		if c.Changes() || c.Action == drift.Conflict {
			counts[c.Action]++
		}
	}
	var parts []string
	for _, a := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[a], a))
	}
	if len(parts) == 0 {
		return "no file changes\n"
	}
	return strings.Join(append(parts, suggestions(p)...), ", ") + "\n"
}

// body is a text that ends before GitHub's limit and says what is missing then.
type body struct {
	strings.Builder
	limit   int // in characters
	length  int
	dropped int
}

func (b *body) add(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n := utf8.RuneCountInString(text); b.length+n <= b.limit {
		b.WriteString(text)
		b.length += n
		return
	}
	b.dropped++
}

func (b *body) end(mark string) string {
	if b.dropped > 0 {
		fmt.Fprintf(b, "\n%d more parts are too long to be shown here; syncer diff --3way shows them.\n", b.dropped)
	}
	if mark == "" {
		return b.String()
	}
	return b.String() + "\n" + mark + "\n"
}

// toDecide is the heading over what a person has to decide.
const toDecide = "### To decide"

// conflicts shows what a person has to decide, with the three sides and a box to
// take the golden path's.
func (b *body) conflicts(open []drift.Change) {
	for i, c := range open {
		if i == 0 {
			b.add("\n" + toDecide + "\n\nHere both sides changed the same thing. Yours is in place; nothing of yours is overwritten. Tick a box to take the golden path's instead, or edit the file on this branch.\n")
		}
		b.add("\n- [ ] take the golden path's %s %s\n\n  %s\n", code(c.Path), takeMark(c.Path), plain(c.Reason))
		b.suggestion(c)
		for _, cl := range c.Clashes {
			b.add("%s", clash(cl))
		}
	}
}

// recreateMark is in the line of the box that builds the branch anew.
const recreateMark = "<!-- syncer:recreate -->"

// takeMark is in the line of the box that takes the golden path's side of a file.
func takeMark(path string) string { return "<!-- syncer:take " + html.EscapeString(path) + " -->" }

// hasTicked reports whether a box of ours is ticked in a text.
func hasTicked(text string) bool {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "<!-- syncer:") && (strings.HasPrefix(line, "- [x] ") || strings.HasPrefix(line, "- [X] ")) {
			return true
		}
	}
	return false
}

// takenPath returns the path that a ticked line names.
func takenPath(line string) (string, bool) {
	_, rest, ok := strings.Cut(line, "<!-- syncer:take ")
	path, _, end := strings.Cut(rest, " -->")
	return html.UnescapeString(path), ok && end
}

func clash(cl drift.Clash) string {
	var b strings.Builder
	where := code(cl.Path)
	if cl.Line > 0 {
		where = fmt.Sprintf("%s, line %d", where, cl.Line)
	}
	fmt.Fprintf(&b, "\n<details><summary>%s</summary>\n", where)
	for _, side := range []struct {
		name string
		text []byte
	}{{"what both began with", cl.Base}, {"yours", cl.Ours}, {"the golden path's", cl.Theirs}} {
		fmt.Fprintf(&b, "\n%s:\n\n%s", side.name, fenced(shown(side.text)))
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func shown(text []byte) string {
	switch {
	case text == nil:
		return "(no file)"
	case tree.IsBinary(text):
		return fmt.Sprintf("(binary, %d bytes)", len(text))
	case len(text) > maxSide:
		return strings.ToValidUTF8(string(text[:maxSide]), "") + fmt.Sprintf("\n… and %d more bytes", len(text)-maxSide)
	}
	return string(text)
}

// table lists the files. What conflicted and is not open any more was decided on the
// branch.
func (b *body) table(p *reconcile.Planned, open []drift.Change) {
	b.add("\n| file | what happens | why |\n|---|---|---|\n")
	for _, c := range p.Changes {
		if !c.Told() {
			continue
		}
		path := code(c.Path)
		if c.From != "" {
			path = code(c.From) + " → " + path
		}
		if c.Action == drift.Conflict && !slices.ContainsFunc(open, func(o drift.Change) bool { return o.Path == c.Path }) {
			b.add("| %s | decided | decided on this branch |\n", path)
			continue
		}
		b.add("| %s | %s | %s |\n", path, c.Action, plain(c.Reason))
	}
}

// fenced puts a text into a code block whose fence does not appear in it.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimSuffix(text, "\n") + "\n" + fence + "\n"
}

// code shows a path as code; what could end the code or the table is shown as
// something else.
func code(path string) string {
	return "`" + strings.NewReplacer("`", "ˋ", "|", "¦", "\n", " ", "\r", " ").Replace(path) + "`"
}

// plain keeps a text from being read as Markdown or HTML, from calling people, and
// from closing issues.
func plain(text string) string { return entities.Replace(text) }
