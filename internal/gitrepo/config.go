package gitrepo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	format "github.com/go-git/go-git/v5/plumbing/format/config"
)

// settings is git's configuration: the files in rising order of precedence, so
// that the last value wins.
type settings struct {
	files []*format.Config
	// branch and gitDir decide which includeIf sections apply.
	gitDir, branch string
}

// maxIncludes is how deep include.path may nest; git's own limit is ten.
const maxIncludes = 10

// readSettings reads the system's, the user's and the repository's configuration.
// Files that are missing or, outside the repository, unreadable count as empty:
// a mistake in ~/.gitconfig must not stop syncer.
func readSettings(gitDir, commonDir, branch string) (*settings, error) {
	s := &settings{gitDir: gitDir, branch: branch}
	for _, file := range outerConfigs() {
		_ = s.read(file, 0)
	}
	if err := s.readRepository(commonDir); err != nil {
		return nil, err
	}
	return s, nil
}

// readRepository reads the repository's own files.
func (s *settings) readRepository(commonDir string) error {
	if err := s.read(filepath.Join(commonDir, "config"), 0); err != nil {
		return err
	}
	if s.flag("extensions", "worktreeConfig", false) {
		return s.read(filepath.Join(s.gitDir, "config.worktree"), 0)
	}
	return nil
}

// outerConfigs are git's configuration files outside the repository.
func outerConfigs() []string {
	var files []string
	if os.Getenv("GIT_CONFIG_NOSYSTEM") == "" {
		system := os.Getenv("GIT_CONFIG_SYSTEM")
		if system == "" {
			system = "/etc/gitconfig"
		}
		files = append(files, system)
	}
	if global, ok := os.LookupEnv("GIT_CONFIG_GLOBAL"); ok {
		return append(files, global)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return files
	}
	xdg := os.Getenv("XDG_CONFIG_HOME")
	if xdg == "" {
		xdg = filepath.Join(home, ".config")
	}
	return append(files, filepath.Join(xdg, "git", "config"), filepath.Join(home, ".gitconfig"))
}

func (s *settings) read(file string, depth int) error {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading git's configuration: %w", err)
	}
	cfg := format.New()
	if err := format.NewDecoder(bytes.NewReader(data)).Decode(cfg); err != nil {
		return fmt.Errorf("%s is not a valid git configuration: %w", file, err)
	}
	// What a file includes stands where the include is: later sections win over it.
	for _, part := range partsOf(data, cfg) {
		s.files = append(s.files, part)
		if depth >= maxIncludes {
			continue
		}
		for _, included := range s.includes(part) {
			// What git would skip or warn about, a missing include, is not our business.
			_ = s.read(expand(included, filepath.Dir(file)), depth+1)
		}
	}
	return nil
}

// partsOf parts a configuration that was read as whole into its sections, in the
// order of the file, which the decoder does not keep. A file that includes nothing
// is one part.
func partsOf(data []byte, whole *format.Config) []*format.Config {
	if !slices.ContainsFunc(whole.Sections, func(s *format.Section) bool { return s.IsName("include") || s.IsName("includeIf") }) {
		return []*format.Config{whole}
	}
	var texts [][]byte
	continued := false
	for line := range bytes.Lines(data) {
		if n := len(texts); n == 0 || !continued && bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("[")) {
			texts = append(texts, slices.Clone(line))
		} else {
			texts[n-1] = append(texts[n-1], line...)
		}
		continued = bytes.HasSuffix(bytes.TrimRight(line, "\r\n"), []byte(`\`))
	}
	parts := make([]*format.Config, len(texts))
	for i, text := range texts {
		parts[i] = format.New()
		if format.NewDecoder(bytes.NewReader(text)).Decode(parts[i]) != nil {
			return []*format.Config{whole}
		}
	}
	return parts
}

func (s *settings) includes(cfg *format.Config) []string {
	var paths []string
	for _, sec := range cfg.Sections {
		switch {
		case sec.IsName("include"):
			paths = append(paths, sec.Options.GetAll("path")...)
		case sec.IsName("includeIf"):
			for _, sub := range sec.Subsections {
				if s.applies(sub.Name) {
					paths = append(paths, sub.Options.GetAll("path")...)
				}
			}
		}
	}
	return paths
}

// applies reports whether an includeIf condition holds.
func (s *settings) applies(condition string) bool {
	kind, pattern, _ := strings.Cut(condition, ":")
	subject := filepath.ToSlash(s.gitDir)
	switch kind {
	case "gitdir":
	case "gitdir/i":
		pattern, subject = strings.ToLower(pattern), strings.ToLower(subject)
	case "onbranch":
		if strings.HasSuffix(pattern, "/") {
			pattern += "**"
		}
		return s.branch != "" && doublestar.MatchUnvalidated(pattern, s.branch)
	default:
		return false
	}
	if rest, ok := strings.CutPrefix(pattern, "~/"); ok {
		home, _ := os.UserHomeDir()
		pattern = filepath.ToSlash(home) + "/" + rest
	}
	if !strings.HasPrefix(pattern, "/") && !strings.Contains(pattern, ":/") {
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	return doublestar.MatchUnvalidated(pattern, subject)
}

// expand resolves a path from a configuration file.
func expand(path, base string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// get returns the value of section.key, or "".
func (s *settings) get(section, key string) string { return s.sub(section, "", key) }

// sub returns the value of section.subsection.key, or "".
func (s *settings) sub(section, subsection, key string) string {
	for _, v := range slices.Backward(s.files) {
		if values := optionsOf(v, section, subsection).GetAll(key); len(values) > 0 {
			return values[len(values)-1]
		}
	}
	return ""
}

// optionsOf gathers the options of every section of that name: a file may hold
// several, and the decoder merges only those that are spelled alike.
func optionsOf(cfg *format.Config, section, subsection string) format.Options {
	var all format.Options
	for _, sec := range cfg.Sections {
		if !sec.IsName(section) {
			continue
		}
		if subsection == "" {
			all = append(all, sec.Options...)
			continue
		}
		for _, sub := range sec.Subsections {
			if sub.IsName(subsection) {
				all = append(all, sub.Options...)
			}
		}
	}
	return all
}

// subsections returns the names of a section's subsections.
func (s *settings) subsections(section string) []string {
	var names []string
	for _, cfg := range s.files {
		for _, sec := range cfg.Sections {
			if !sec.IsName(section) {
				continue
			}
			for _, sub := range sec.Subsections {
				names = append(names, sub.Name)
			}
		}
	}
	return names
}

// flag returns a boolean as git reads one: a name without a value is true.
func (s *settings) flag(section, key string, otherwise bool) bool {
	for _, v := range slices.Backward(s.files) {
		opts := optionsOf(v, section, "")
		if !opts.Has(key) {
			continue
		}
		switch v := strings.ToLower(opts.Get(key)); v {
		case "true", "yes", "on", "":
			return true
		case "false", "no", "off":
			return false
		default:
			n, err := strconv.Atoi(v)
			return err != nil || n != 0
		}
	}
	return otherwise
}

// fileMode reports whether the file system's execute bits mean anything.
func (s *settings) fileMode() bool {
	return s.flag("core", "fileMode", runtime.GOOS != "windows")
}

// symlinks reports whether the file system has symbolic links.
func (s *settings) symlinks() bool { return s.flag("core", "symlinks", true) }

// rewrite applies url.<base>.insteadOf, the longest match winning as in git, and
// for pushing pushInsteadOf before it.
func (s *settings) rewrite(location string, push bool) string {
	keys := []string{"insteadOf"}
	if push {
		keys = []string{"pushInsteadOf", "insteadOf"}
	}
	for _, key := range keys {
		best, base := "", ""
		for _, cfg := range s.files {
			for _, sub := range subsectionsOf(cfg, "url") {
				for _, prefix := range sub.Options.GetAll(key) {
					if strings.HasPrefix(location, prefix) && len(prefix) > len(best) {
						best, base = prefix, sub.Name
					}
				}
			}
		}
		if best != "" {
			return base + location[len(best):]
		}
	}
	return location
}

func subsectionsOf(cfg *format.Config, section string) format.Subsections {
	var all format.Subsections
	for _, sec := range cfg.Sections {
		if sec.IsName(section) {
			all = append(all, sec.Subsections...)
		}
	}
	return all
}

// checkFormat refuses repositories whose format cannot be read here. Extensions
// that do not change how objects and references are stored are fine.
func (s *settings) checkFormat() error {
	if v := s.get("core", "repositoryFormatVersion"); v != "" && v != "0" && v != "1" {
		return fmt.Errorf("its format version is %s; only 0 and 1 are understood", v)
	}
	if f := s.get("extensions", "objectFormat"); f != "" && !strings.EqualFold(f, "sha1") {
		return fmt.Errorf("its objects are named by %s; only SHA-1 repositories are supported", f)
	}
	if f := s.get("extensions", "refStorage"); f != "" && !strings.EqualFold(f, "files") {
		return fmt.Errorf("its references are stored as %s; convert them with `git refs migrate --ref-format=files`", f)
	}
	return nil
}
