package settings

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/goldenpaths/syncer/internal/nearest"
)

// ConfigFlag and DefaultFile say which file is read: the flag, or
// SYNCER_CONFIG, or the file of this name where there is one.
const (
	ConfigFlag  = "config"
	configEnv   = envPrefix + "CONFIG"
	DefaultFile = "syncer.yaml"
)

// Input is where settings come from.
type Input struct {
	Flags   *pflag.FlagSet // with those that AddFlags added; nil is none
	Environ []string       // as os.Environ returns it
}

// Loaded is a configuration with where it comes from.
type Loaded struct {
	Config   Config
	Values   []Value  // of every setting, in the table's order
	Warnings []string // what is allowed and yet probably not meant
}

// Value is what a setting is set to.
type Value struct {
	Setting Setting
	Text    []string // none: it is not set
	From    string   // "default", or the place that set it
	bad     bool
}

// Set reports whether somebody, or the default, gave a value.
func (v Value) Set() bool { return len(v.Text) > 0 }

func (v Value) isDefault() bool { return v.From == fromDefault }

const fromDefault = "default"

// Problem is one mistake in the configuration.
type Problem struct {
	Setting string // its three names; "" for a file as a whole
	From    string
	Message string // what is wrong and what would be right
}

// Error tells the mistake on one line.
func (p Problem) Error() string {
	var parts []string
	for _, part := range []string{p.Setting, p.From, p.Message} {
		if part != "" && part != fromDefault {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Problems are all mistakes in a configuration.
type Problems []Problem

// Error has a line for each.
func (ps Problems) Error() string {
	lines := []string{fmt.Sprintf("the configuration has %d mistakes:", len(ps))}
	if len(ps) == 1 {
		lines[0] = "the configuration has a mistake:"
	}
	for _, p := range ps {
		lines = append(lines, "  "+p.Error())
	}
	return strings.Join(lines, "\n")
}

// AddFlags defines a flag for every setting, and the one for the file.
func AddFlags(flags *pflag.FlagSet) {
	flags.String(ConfigFlag, "", "YAML `file` with settings (default "+DefaultFile+" where it is there; "+configEnv+")")
	for _, s := range Table() {
		meaning, _, _ := strings.Cut(s.Meaning, ". ")
		meaning = strings.TrimSuffix(strings.ReplaceAll(meaning, "`", ""), ".")
		if s.Default != "" {
			meaning += " (default " + s.Default + ")"
		}
		flags.String(s.Flag(), "", meaning)
	}
}

// layer is one place that settings come from.
type layer struct {
	values *koanf.Koanf
	from   func(Setting) string
}

// loader collects what is found on the way.
type loader struct {
	layers   []layer // the lowest first
	problems Problems
	warnings []string
}

// Load reads and checks the settings. Its error is [Problems]; what could be read
// is returned with it, so that it can be shown.
func Load(in Input) (*Loaded, error) {
	l := &loader{}
	l.file(in)
	l.environment(in.Environ)
	l.flags(in.Flags)
	l.registered()
	out := &Loaded{}
	for _, s := range Table() {
		out.Values = append(out.Values, l.value(s))
	}
	l.fill(out)
	l.together(out)
	out.Warnings = l.warnings
	if len(l.problems) > 0 {
		return out, l.problems
	}
	return out, nil
}

func (l *loader) fault(v Value, format string, args ...any) {
	l.problems = append(l.problems, Problem{Setting: v.Setting.Names(), From: v.From, Message: fmt.Sprintf(format, args...)})
}

// file adds the file that the flag or the environment names.
func (l *loader) file(in Input) {
	name, why := DefaultFile, ""
	for _, kv := range in.Environ {
		if v, ok := strings.CutPrefix(kv, configEnv+"="); ok && v != "" {
			name, why = v, configEnv
		}
	}
	if in.Flags != nil && in.Flags.Changed(ConfigFlag) {
		name, why = in.Flags.Lookup(ConfigFlag).Value.String(), "--"+ConfigFlag
	}
	added, problems := readLayer(name)
	if len(problems) == 0 && added == nil && why != "" {
		problems = Problems{{From: why, Message: fmt.Sprintf("there is no file %s; give the path of a YAML file", name)}}
	}
	l.problems = append(l.problems, problems...)
	if added != nil {
		l.layers = append(l.layers, *added)
	}
}

// environment adds the variables that begin with SYNCER_.
func (l *loader) environment(environ []string) {
	keys := map[string]string{}
	for _, s := range Table() {
		keys[s.Env()] = s.Key
	}
	known := slices.Collect(maps.Keys(keys))
	k := koanf.New(".")
	p := env.Provider(".", env.Opt{
		Prefix: envPrefix, EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := keys[name]
			// An empty variable is how many tools write "not set".
			if key == "" || value == "" {
				l.misspelt(name, known)
				return "", nil
			}
			return key, value
		},
	})
	if err := k.Load(p, nil); err != nil {
		l.problems = append(l.problems, Problem{From: "environment", Message: err.Error()}) // unreachable: it reads memory
	}
	l.layers = append(l.layers, layer{k, func(s Setting) string { return "environment " + s.Env() }})
}

// misspelt warns of a variable that is no setting but looks like one. Others are
// left alone: Kubernetes sets SYNCER_SERVICE_HOST for a service named syncer.
func (l *loader) misspelt(name string, known []string) {
	others := []string{configEnv, "SYNCER_GIT_TOKEN", "SYNCER_GIT_TOKEN_HOST", "SYNCER_GIT_TIMEOUT"}
	if slices.Contains(known, name) || slices.Contains(others, name) {
		return
	}
	near := nearest.Names(name, known)
	if len(near) == 0 || strings.HasPrefix(name, near[0]+"_") {
		return
	}
	l.warnings = append(l.warnings, fmt.Sprintf("environment %s is not a setting; did you mean %s?", name, near[0]))
}

// flags adds the flags that were given.
func (l *loader) flags(flags *pflag.FlagSet) {
	if flags == nil {
		return
	}
	keys := map[string]string{}
	for _, s := range Table() {
		keys[s.Flag()] = s.Key
	}
	k := koanf.New(".")
	p := posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed || keys[f.Name] == "" {
			return "", nil
		}
		return keys[f.Name], f.Value.String()
	})
	if err := k.Load(p, nil); err != nil {
		l.problems = append(l.problems, Problem{From: "flags", Message: err.Error()}) // unreachable: it reads memory
	}
	l.layers = append(l.layers, layer{k, func(s Setting) string { return "flag --" + s.Flag() }})
}

// AppFile is the file in the folder setup.directory with the App's settings.
const AppFile = "app.yaml"

// registered adds, below all others, what /setup wrote: unless an App is
// configured elsewhere, so that one App's number never meets another's key.
func (l *loader) registered() {
	for _, key := range []string{keyAppID, keyPrivate, keyPrivateFile, keyHook, keyHookFile} {
		if l.value(find(key)).Set() {
			return
		}
	}
	dir := l.value(find(keySetupDir))
	if dir.bad {
		return // told when it is checked
	}
	added, problems := readLayer(filepath.Join(dir.Text[0], AppFile))
	l.problems = append(l.problems, problems...)
	if added != nil {
		l.layers = slices.Insert(l.layers, 0, *added)
	}
}

// value finds what a setting is set to in the highest layer that has it.
func (l *loader) value(s Setting) Value {
	for _, one := range slices.Backward(l.layers) {
		if !one.values.Exists(s.Key) {
			continue
		}
		v := Value{Setting: s, From: one.from(s)}
		var ok bool
		if v.Text, ok = texts(one.values.Get(s.Key), s.List); !ok {
			v.Text, v.bad = nil, true
		}
		return v
	}
	v := Value{Setting: s}
	if s.Default != "" {
		v.Text, v.From = []string{s.Default}, fromDefault
	}
	return v
}

// texts makes text of what a layer has. A list is only right where one is wanted.
func texts(value any, list bool) ([]string, bool) {
	switch v := value.(type) {
	case []any:
		var all []string
		for _, one := range v {
			text, ok := texts(one, false)
			if !ok {
				return nil, false
			}
			all = append(all, text...)
		}
		return all, list && len(all) > 0
	case map[string]any, nil:
		return nil, false
	case string:
		if list {
			parts := strings.Split(v, ",")
			for i := range parts {
				parts[i] = strings.TrimSpace(parts[i])
			}
			return parts, true
		}
		return []string{v}, true
	default:
		return []string{fmt.Sprint(v)}, true
	}
}
