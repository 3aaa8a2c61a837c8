package gitrepo

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/goldenpaths/syncer/internal/attributes"
	"github.com/goldenpaths/syncer/internal/tree"
)

// converter returns what converts files between the repository and this work tree.
func (c *checkout) converter() *attributes.Converter {
	if c.convert == nil {
		c.convert = converterOf(c.Member, c.attributeText, c.kept)
	}
	return c.convert
}

func converterOf(m *Member, text func(string) ([]byte, error), kept func(string) (*tree.File, error)) *attributes.Converter {
	s := m.settings
	c := &attributes.Converter{Text: text, Kept: kept, Settings: attributes.Settings{
		AutoCRLF: s.autoCRLF(), EOL: s.eol(), AnyCase: s.flag("core", "ignorecase", false), Filters: s.filters,
	}}
	for _, file := range outerAttributes(s) {
		c.Outer = append(c.Outer, attributeFile(file, c.Settings.AnyCase)...)
	}
	c.Info = attributeFile(filepath.Join(m.store.commonDir, "info", "attributes"), c.Settings.AnyCase)
	return c
}

// autoCRLF is core.autocrlf as [attributes.Settings] has it.
func (s *settings) autoCRLF() string {
	switch {
	case strings.EqualFold(s.get("core", "autocrlf"), "input"):
		return "input"
	case s.flag("core", "autocrlf", false):
		return "true"
	}
	return ""
}

// eol is core.eol; where it is not set, what the machine has.
func (s *settings) eol() string {
	switch eol := strings.ToLower(s.get("core", "eol")); {
	case eol == "lf" || eol == "crlf":
		return eol
	case runtime.GOOS == "windows":
		return "crlf"
	}
	return "lf"
}

// filters reports whether a filter has a program.
func (s *settings) filters(driver string) bool {
	for _, key := range []string{"clean", "smudge", "process"} {
		if s.sub("filter", driver, key) != "" {
			return true
		}
	}
	return false
}

// outerAttributes are the files outside the work tree that hold for every
// repository, in rising precedence.
func outerAttributes(s *settings) []string {
	var files []string
	if os.Getenv("GIT_ATTR_NOSYSTEM") == "" {
		files = append(files, "/etc/gitattributes")
	}
	if own := s.get("core", "attributesFile"); own != "" {
		return append(files, expand(own, s.gitDir))
	}
	xdg := os.Getenv("XDG_CONFIG_HOME")
	if home, err := os.UserHomeDir(); xdg == "" && err == nil {
		xdg = filepath.Join(home, ".config")
	}
	return append(files, filepath.Join(xdg, "git", "attributes"))
}

// attributeFile reads a file outside the work tree. As git does, it takes one that
// it cannot read as empty.
func attributeFile(file string, anyCase bool) []attributes.Rule {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return attributes.Parse(data, "", anyCase)
}

// attributeText returns a .gitattributes: as it is about to be written, as it lies
// on disk, or where it does not, as it is staged. git follows no link to one.
func (c *checkout) attributeText(p string) ([]byte, error) {
	if f, planned := c.changes[p]; planned {
		return textOf(f), nil
	}
	f, exists, err := c.work.read(p)
	if err == nil && exists {
		return textOf(&f), nil
	}
	staged, err := c.kept(p)
	return textOf(staged), err
}

func textOf(f *tree.File) []byte {
	if f == nil || !f.Kind.IsFile() || f.Kind.IsLink() {
		return nil
	}
	return f.Data
}

// kept returns what is staged at a path; nil where that is no file.
func (c *checkout) kept(p string) (*tree.File, error) {
	e, err := c.staged(p)
	if err != nil || e.kind == 0 || e.kind.IsLink() {
		return nil, err
	}
	f, err := c.content(e)
	return &f, err
}

// stored returns a file of the work tree as git would store it.
func (c *checkout) stored(p string, f tree.File) (tree.File, error) {
	return c.converter().Stored(p, f)
}

// WorkStored returns files as git would store them were they added from the work
// tree, once changes (nil: the file goes) to attributes are made there.
func (m *Member) WorkStored(files tree.Tree, changes map[string]*tree.File) (tree.Tree, error) {
	c, err := m.checkout()
	if err != nil {
		return nil, err
	}
	defer c.work.close()
	c.changes = changes
	return c.converter().StoredAll(files)
}

// CommitStored is [Member.WorkStored] where what a commit has is checked out.
func (m *Member) CommitStored(commit string, files tree.Tree, changes map[string]*tree.File) (tree.Tree, error) {
	paths := files.Paths()
	at, err := m.CommitFiles(commit, append(attributes.On(paths), paths...))
	if err != nil {
		return nil, err
	}
	kept := func(p string) (*tree.File, error) {
		f := at[p]
		return &f, nil
	}
	text := func(p string) ([]byte, error) {
		if f, planned := changes[p]; planned {
			return textOf(f), nil
		}
		f := at[p]
		return textOf(&f), nil
	}
	return converterOf(m, text, kept).StoredAll(files)
}

// written returns a file as it is to be written, so that git stores f when it is
// added: as git would show it; but where the index makes git keep line ends as they
// are, as it is. What is on disk stays where it already means the same.
func (c *checkout) written(p string, f tree.File) (tree.File, error) {
	shown, err := c.converter().Shown(p, f)
	if err != nil {
		return f, err
	}
	candidates := []tree.File{shown, f}
	now, exists, err := c.work.read(p)
	if _, obstructed := errors.AsType[*NotFileError](err); err != nil && !obstructed {
		return f, err
	}
	if exists && !now.Kind.IsLink() {
		candidates = []tree.File{{Kind: f.Kind, Data: now.Data}, shown, f}
	}
	for _, candidate := range candidates {
		back, err := c.stored(p, candidate)
		if err != nil {
			return f, err
		}
		if back.Equal(f) {
			return candidate, nil
		}
	}
	return shown, nil
}
