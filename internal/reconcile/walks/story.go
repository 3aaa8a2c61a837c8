package walks

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/reconcile"
)

// Bounds of what is told about the way from one version to the next.
const (
	maxCommits   = 30
	maxTitle     = 200
	maxChangelog = 12_000 // bytes, of all golden paths together
)

// story is why a version is as it is: what its platform says about it.
type story struct {
	commits []CommitLine
	news    []news
	compare string // a page that shows all of it; "": none
	unknown string // why nothing is known
}

// news are the sections of a changelog that are new.
type news struct{ goldenPath, text string }

// story returns what happened between the version that the member has and the one it
// gets. That nothing can be said is no reason to do nothing.
func (b *bringing) story(ctx context.Context, p *reconcile.Planned) (story, error) {
	if p.From == nil || p.From.Repository == "" || p.From.Commit == "" || p.To.Commit == "" || p.From.Commit == p.To.Commit {
		return story{}, nil
	}
	location, _, err := b.Platforms.Split(p.Following.Source)
	if err != nil {
		return story{}, err
	}
	g, err := b.syncer.GoldenPath(ctx, p.Following.Source, p.GoldenPath, p.Following.Wanted(b.syncer.Today))
	if err != nil {
		return story{}, err
	}
	layers := g.Layers()
	h, err := b.Platforms.History(ctx, b.record.At, location, Span{From: p.From.Commit, To: p.To.Commit, GoldenPaths: layers})
	switch {
	case passes(err) || ctx.Err() != nil:
		return story{}, err
	case err != nil:
		return story{unknown: err.Error()}, nil
	}
	s := story{commits: h.Commits, compare: comparePage(location, p.From.Commit, p.To.Commit)}
	slices.Reverse(layers) // its own first
	for _, name := range layers {
		if text := newSections(string(h.Before[name]), string(h.After[name])); text != "" {
			s.news = append(s.news, news{name, text})
		}
	}
	return s, nil
}

// comparePage is GitHub's page about two commits of a source.
func comparePage(location, from, to string) string {
	if !strings.HasPrefix(location, "https://") && !strings.HasPrefix(location, "http://") || strings.ContainsAny(location, " ()<>[]\"'`\\") {
		return ""
	}
	return fmt.Sprintf("%s/compare/%.12s...%.12s", strings.TrimSuffix(strings.TrimSuffix(location, "/"), ".git"), from, to)
}

// newSections returns the sections of a changelog, each from a heading of the second
// level on, that it did not have before as they are.
func newSections(before, after string) string {
	had := map[string]bool{}
	for _, s := range sections(before) {
		had[s] = true
	}
	var fresh []string
	for _, s := range sections(after) {
		if !had[s] {
			fresh = append(fresh, s)
		}
	}
	return strings.Join(fresh, "\n\n")
}

func sections(text string) []string {
	var all []string
	begun := false
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		switch {
		case strings.HasPrefix(line, "## "):
			all, begun = append(all, line), true
		case begun:
			all[len(all)-1] += line
		}
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return slices.DeleteFunc(all, func(s string) bool { return !strings.Contains(s, "\n") }) // a heading alone says nothing
}

// why tells the story.
func (b *body) why(s story) {
	if s.unknown != "" {
		b.add("\nWhat happened in between cannot be told: %s.\n", plain(s.unknown))
	}
	if len(s.commits)+len(s.news) == 0 {
		return
	}
	b.add("\n### What changed, and why\n\n")
	room := maxChangelog
	for _, n := range s.news {
		text := cutText(n.text, room)
		room -= len(text)
		b.add("<details open><summary>From the changelog of %s</summary>\n\n%s\n</details>\n\n", code(n.goldenPath), fenced(text))
	}
	for i, c := range s.commits {
		if i == maxCommits {
			b.add("- and %d more\n", len(s.commits)-i)
			break
		}
		b.add("- %s %s (%s)\n", code(c.ID[:min(10, len(c.ID))]), plain(cutText(c.Title, maxTitle)), plain(cutText(c.Author, maxTitle)))
	}
	if s.compare != "" {
		b.add("\n[All of it](%s)\n", s.compare)
	}
}

// cutText shortens a text to a number of bytes.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:max(most, 0)], "") + "…"
}

// entities keep a text from being read as Markdown or HTML, from calling people and
// teams, and from being linked to, or closing, an issue.
var entities = strings.NewReplacer(sortedPairs(map[string]string{
	"&": "&amp;", "<": "&lt;", ">": "&gt;", `"`: "&#34;", "'": "&#39;",
	`\`: `\\`, "|": `\|`, "`": "\\`", "*": `\*`, "_": `\_`, "~": `\~`, "[": `\[`, "]": `\]`, "!": `\!`, "$": "&#36;",
	"\n": " ", "\r": " ", "@": "@\u200b", "#": "#\u200b",
	"://": ":\u200b//", "www.": "www\u200b.", "WWW.": "WWW\u200b.", "GH-": "GH\u200b-", "gh-": "gh\u200b-", "Gh-": "Gh\u200b-", "gH-": "gH\u200b-",
})...)

func sortedPairs(m map[string]string) []string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, k, m[k])
	}
	return pairs
}
