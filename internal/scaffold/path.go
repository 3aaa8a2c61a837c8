package scaffold

import (
	"slices"
	"strings"

	"github.com/goldenpaths/syncer/internal/scaffold/engine"
)

// pathTemplate is a path with actions in it.
type pathTemplate struct {
	// segments are the templates of the path's segments, so that a segment which
	// renders to nothing is told from a value that begins with a slash: the one
	// leaves the file out, the other is a mistake.
	segments []*engine.Template
	// spans is true where an action goes over several segments, as in
	// {{ if .x }}a/b{{ end }}/c, and segments is the whole path as one.
	spans bool
}

func parsePath(path string, parse func(string) (*engine.Template, error), d engine.Delimiters) (*pathTemplate, error) {
	p := &pathTemplate{}
	for _, text := range segmentsOf(path, d) {
		t, err := parse(text)
		if err != nil {
			whole, err := parse(path)
			return &pathTemplate{[]*engine.Template{whole}, true}, err
		}
		p.segments = append(p.segments, t)
	}
	return p, nil
}

// segmentsOf parts a path at the slashes that are not inside an action.
func segmentsOf(path string, d engine.Delimiters) []string {
	left, right := d.Pair()
	var segments []string
	start, at := 0, 0
	for at < len(path) {
		switch {
		case strings.HasPrefix(path[at:], left):
			end := strings.Index(path[at:], right)
			if end < 0 {
				return append(segments, path[start:])
			}
			at += end + len(right)
		case path[at] == '/':
			segments = append(segments, path[start:at])
			at++
			start = at
		default:
			at++
		}
	}
	return append(segments, path[start:])
}

// render returns "" where a segment renders to nothing.
func (p *pathTemplate) render(data engine.Data) (string, error) {
	parts := make([]string, len(p.segments))
	for i, t := range p.segments {
		out, err := t.ExecuteOn(data)
		if err != nil || len(out) == 0 {
			return "", err
		}
		parts[i] = string(out)
	}
	path := strings.Join(parts, "/")
	if p.spans && slices.Contains(strings.Split(path, "/"), "") {
		return "", nil
	}
	return path, nil
}
