package settings

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Shown returns the value as people may see it: secrets are not in it.
func (v Value) Shown() string {
	switch {
	case !v.Set():
		return ""
	case v.Setting.Secret && len(v.Text) > 1:
		return fmt.Sprintf("[%d secrets]", len(v.Text))
	case v.Setting.Secret:
		return hidden
	}
	text := strings.Join(v.Text, ",")
	if v.Setting.hide != nil {
		text = v.Setting.hide(text)
	}
	return text
}

// Print writes every setting with its value and where that comes from.
func (l *Loaded) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SETTING\tVALUE\tFROM")
	for _, v := range l.Values {
		from := v.From
		if !v.Set() {
			from = "not set"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", v.Setting.Key, v.Shown(), from)
	}
	return t.Flush()
}

// ValueJSON is a value in the JSON form of --print-config.
type ValueJSON struct {
	Setting string `json:"setting"`
	Env     string `json:"env"`
	Flag    string `json:"flag"`
	Value   string `json:"value,omitempty"`
	From    string `json:"from,omitempty"`
}

// JSON returns what Print writes, for programs.
func (l *Loaded) JSON() []ValueJSON {
	all := make([]ValueJSON, 0, len(l.Values))
	for _, v := range l.Values {
		all = append(all, ValueJSON{v.Setting.Key, v.Setting.Env(), "--" + v.Setting.Flag(), v.Shown(), v.From})
	}
	return all
}

// Markdown returns the table for docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	for _, s := range Table() {
		fmt.Fprintf(&b, "### `%s`\n\n`%s` · `--%s`\n\n%s\n\n", s.Key, s.Env(), s.Flag(), s.Meaning)
		fmt.Fprintf(&b, "%s, such as `%s`.", capital(s.Kind), s.Example)
		if s.Default != "" {
			fmt.Fprintf(&b, " Default: `%s`.", s.Default)
		}
		b.WriteString("\n\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
