package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/goldenpaths/syncer/internal/drift/policy"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// opening begins a conversation: so many files follow, each in a message.
type opening struct {
	Files int `json:"files"`
}

// file is one file of a platform repository, or of a rendering.
type file struct {
	Path   string        `json:"path"`
	Kind   tree.Kind     `json:"kind"`
	Data   []byte        `json:"data"`
	Mode   scaffold.Mode `json:"mode,omitempty"`
	Layer  string        `json:"layer,omitempty"`
	Origin string        `json:"origin,omitempty"`
	// Merge is what the manifests say about changes of the file that meet.
	Merge *policy.Policy `json:"merge,omitempty"`
}

// Path is a golden path as the sandbox reads it.
type Path struct {
	Name       string               `json:"name"`
	Version    string               `json:"version"`
	Digest     string               `json:"digest"`
	Migrations []scaffold.Migration `json:"migrations,omitempty"`
	Merge      scaffold.MergeRules  `json:"merge,omitempty"`
	Inputs     []string             `json:"inputs,omitempty"`  // the names that it declares
	Secrets    []string             `json:"secrets,omitempty"` // those of them that are secret
}

// overview answers an opening.
type overview struct {
	Problems scaffold.Problems `json:"problems,omitempty"`
	Paths    []Path            `json:"paths,omitempty"`
}

// wish asks for a rendering.
type wish struct {
	Name       string         `json:"name"`
	At         scaffold.Place `json:"at"` // where the inputs stand
	Inputs     map[string]any `json:"inputs"`
	Repository string         `json:"repository"`
}

// rendering answers a wish: files, or what is wrong.
type rendering struct {
	Files    []file            `json:"files,omitempty"`
	Public   map[string]any    `json:"public,omitempty"` // inputs that may be shown
	Problems scaffold.Problems `json:"problems,omitempty"`
	Error    string            `json:"error,omitempty"`
}

// maxMessage bounds one message in bytes. A golden path that renders to more than
// some 24 MiB, which is more in base64, is not shown.
const maxMessage = 32 << 20

// sender writes messages, one a line.
type sender struct{ to io.Writer }

func (s sender) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	if len(data) > maxMessage {
		return errTooMuch
	}
	_, err = s.to.Write(append(data, '\n'))
	return err
}

var errTooMuch = fmt.Errorf("it renders to more than %d MiB", maxMessage>>20)

// receiver reads messages, each within bounds.
type receiver struct {
	limited *io.LimitedReader
	dec     *json.Decoder
}

func newReceiver(from io.Reader) *receiver {
	l := &io.LimitedReader{R: from}
	r := &receiver{limited: l, dec: json.NewDecoder(l)}
	r.dec.UseNumber()
	return r
}

func (r *receiver) receive(v any) error {
	r.limited.N = maxMessage + 1
	err := r.dec.Decode(v)
	if r.limited.N <= 0 && err != nil {
		return errTooMuch
	}
	return err
}

// exact gives numbers the types that [document] gives them: JSON has but one kind,
// and a template sees the difference.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			if n, err := v.Int64(); err == nil {
				return n
			}
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, one := range v {
			v[k] = exact(one)
		}
	case []any:
		for i, one := range v {
			v[i] = exact(one)
		}
	}
	return v
}

func exactInputs(in map[string]any) scaffold.Inputs {
	out, _ := exact(in).(map[string]any)
	return out
}

// tail keeps the beginning of what a process complains, in bytes.
type tail struct{ bytes.Buffer }

const maxComplaint = 4 << 10

// Write implements [io.Writer] and never fails.
func (t *tail) Write(p []byte) (int, error) {
	if room := maxComplaint - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
