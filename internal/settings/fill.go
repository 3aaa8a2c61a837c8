package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// fill checks every value and puts it into the configuration.
func (l *loader) fill(out *Loaded) {
	for i := range out.Values {
		v := &out.Values[i]
		switch {
		case v.bad && v.Setting.List:
			l.fault(*v, "give %s, as text or as a list of texts", v.Setting.Kind)
		case v.bad:
			l.fault(*v, "give one value: %s, such as %s", v.Setting.Kind, v.Setting.Example)
		case v.Set() && v.Setting.FileOf != "":
			l.fromFile(out, *v)
		}
	}
	for i := range out.Values {
		v := &out.Values[i]
		if !v.Set() || v.Setting.set == nil {
			continue
		}
		if err := v.Setting.set(&out.Config, v.Text); err != nil {
			v.bad = true
			l.fault(*v, "%s", err)
		}
	}
}

// maxSecretFile bounds a file with a secret, in bytes.
const maxSecretFile = 64 << 10

// fromFile reads the value of another setting from the file that v names.
func (l *loader) fromFile(out *Loaded, v Value) {
	target := slices.IndexFunc(out.Values, func(o Value) bool { return o.Setting.Key == v.Setting.FileOf })
	into := &out.Values[target]
	if into.Set() && !into.isDefault() {
		l.fault(v, "%s is set too (%s); keep one of the two", into.Setting.Key, into.From)
		return
	}
	data, err := readBounded(v.Text[0], maxSecretFile)
	if err != nil {
		l.fault(v, "%s", err)
		return
	}
	text := strings.TrimRight(string(data), "\r\n")
	if strings.TrimSpace(text) == "" {
		l.fault(v, "%s is empty", v.Text[0])
		return
	}
	into.From = "file " + v.Text[0] + " (" + v.From + ")"
	into.Text = []string{text}
	if into.Setting.List {
		into.Text = slices.DeleteFunc(strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"),
			func(line string) bool { return strings.TrimSpace(line) == "" })
	}
}

func readBounded(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", name)
	}
	if err != nil {
		return nil, err
	}
	// Size and kind are known before anything is read, so that a device or a pipe
	// does not hold up the start.
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d bytes; at most %d are read", name, info.Size(), most)
	}
	return os.ReadFile(name)
}
