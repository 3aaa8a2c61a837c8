package walks

import (
	"bytes"
	"context"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// Review is a set of remarks on a pull request's lines, one for each key.
type Review struct {
	Number       int
	Key          string
	Commit, Body string
	Suggestions  []Suggestion
}

// Suggestion proposes other text for lines of a file, which a button applies.
type Suggestion struct {
	Path       string
	Start, End int // lines of the file on the branch, from 1
	Why        string
	Text       string // in place of the lines
}

const (
	// shownAround is how many lines GitHub shows around a change, and takes remarks on.
	shownAround = 3
	// maxSuggestions bounds a review.
	maxSuggestions = 20
)

// suggest offers the golden path's side of open conflicts as suggestions, where GitHub
// takes one: on lines that the pull request's diff shows. For the others the
// description has the three sides. That one is refused is no reason to fail.
func (b *bringing) suggest(ctx context.Context, open []drift.Change, pr PullRequest, head string) error {
	r := Review{
		Number: pr.Number, Key: "conflicts " + clashDigest(open), Commit: head,
		Body: "Each suggestion is the golden path's side of a conflict. Taking one decides it.",
	}
	for _, c := range open {
		for _, s := range reviewSuggestions(c) {
			if len(r.Suggestions) < maxSuggestions {
				r.Suggestions = append(r.Suggestions, s)
			}
		}
	}
	if len(r.Suggestions) == 0 {
		return nil
	}
	err := b.client.Review(ctx, r)
	if err != nil && !passes(err) {
		b.note(ctx, "no suggestions", err.Error())
		return nil
	}
	return err
}

// reviewSuggestions are the golden path's sides of a file's conflicts whose lines the diff
// shows. A place that is there more than once is left out, as is one without lines.
func reviewSuggestions(c drift.Change) []Suggestion {
	if c.Before == nil || c.After == nil || c.From != "" {
		return nil
	}
	before, after := c.Before.Data, c.After.Data
	var all []Suggestion
	for _, cl := range c.Clashes {
		if cl.Line == 0 || len(cl.Ours) == 0 || bytes.Count(after, cl.Ours) != 1 {
			continue
		}
		at := bytes.Index(after, cl.Ours)
		end := at + len(cl.Ours)
		if at > 0 && after[at-1] != '\n' || end < len(after) && after[end-1] != '\n' {
			continue
		}
		s := Suggestion{
			Path: c.Path, Start: bytes.Count(after[:at], newline) + 1, Text: string(cl.Theirs),
			Why: "Here both sides changed the same lines, and yours are in place. The golden path has:",
		}
		s.End = s.Start + bytes.Count(bytes.TrimSuffix(cl.Ours, newline), newline)
		if inDiff(textmerge.Diff(before, after), s.Start, s.End) {
			all = append(all, s)
		}
	}
	return all
}

var newline = []byte("\n")

// inDiff reports whether a diff shows lines of the new text, all in one piece.
func inDiff(edits []textmerge.Edit, first, last int) bool {
	for i := 0; i < len(edits); {
		lo, hi := edits[i].BLo+1-shownAround, edits[i].BHi+shownAround
		for i++; i < len(edits) && edits[i].BLo+1-shownAround <= hi+1; i++ {
			hi = edits[i].BHi + shownAround
		}
		if lo <= first && last <= hi {
			return true
		}
	}
	return false
}
