// Package internal_test holds the rule that the layout rests on: arrows point
// inward. The pure packages know nothing of the world, adapters know nothing of
// each other, and only cmd/syncer knows everybody.
//
// It reads the import clauses with go/parser rather than asking the go command:
// the files that are opened here become part of go test's cache key, so a new
// import is noticed even where the last result was cached.
package internal_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/goldenpaths/syncer"

// Patterns are import paths or, below the module, folders. "x/..." is x and
// everything below it, as for the go command.
var (
	// pure packages are functions of their arguments: what they return today they
	// return tomorrow, on any machine. A render must be repeatable byte for byte,
	// because it is the base of the next merge.
	pure = []string{
		"docs/schema",
		"internal/attributes/...",
		"internal/document/...",
		"internal/drift/...",
		"internal/fleet/...",
		"internal/nearest/...",
		"internal/scaffold/...",
		"internal/schedule/...",
		"internal/tree/...",
	}
	// adapters each speak to one thing outside.
	adapters = []string{
		"internal/forge/...",
		"internal/gitrepo/...",
		"internal/jobs/...",
		"internal/portal/...",
		"internal/sandbox/...",
		"internal/settings/...",
		"internal/setup/...",
		"internal/store/...",
		"webhooks/...",
	}
	// wiring is the one place that knows everybody.
	wiring = []string{"cmd/..."}
)

// ban forbids imports to packages. An import that is also in except is allowed.
type ban struct {
	packages []string
	imports  []string
	except   []string
	why      string
}

var bans = []ban{
	{packages: pure, imports: []string{"context"},
		why: "a pure package does not wait, so there is nothing to cancel"},
	{packages: pure, imports: []string{"math/rand/...", "crypto/rand", "hash/maphash"},
		why: "the same arguments must give the same result"},
	{packages: pure, imports: []string{"net/..."}, except: []string{"net/url", "net/netip"},
		why: "a pure package speaks to nobody; take what was fetched as an argument"},
	{packages: pure, imports: []string{"os/...", "io/fs", "io/ioutil", "path/filepath", "database/sql/..."},
		why: "a pure package touches no disk; take a tree.Tree or bytes, and use path for slash-separated names"},
	{packages: pure, imports: []string{"embed"},
		why: "contents come in as arguments; only docs/schema and goldenpaths carry files"},
	{packages: pure, imports: []string{"log/...", "expvar", "runtime/...", "syscall", "unsafe", "plugin"},
		why: "a pure package returns what happened, and does not look at the machine it runs on"},
	{packages: pure, imports: []string{
		"github.com/go-git/...", "github.com/google/go-github/...", "github.com/bradleyfalzon/...",
		"github.com/riverqueue/...", "github.com/jackc/...", "github.com/gorilla/...",
		"github.com/spf13/...", "modernc.org/...", "go.opentelemetry.io/...",
		"github.com/prometheus/...",
	}, why: "this library speaks to the world; it belongs to an adapter"},
}

// exempt names what a ban does not apply to, and why that is right.
var exempt = map[[2]string]string{
	{"internal/drift/textmerge", "hash/maphash"}: "it hashes lines as a map would; equal hashes are compared byte for byte, and a line's number is its order of appearance, so the seed is not seen in any result",
	{"docs/schema", "embed"}:                     "it publishes the schemas' text, which is fixed when the binary is built",
}

// clock are the parts of package time that look at the machine's clock, wait for
// it, or read its time zones. Pure packages may hold a time.Time that somebody
// gave them; they may not ask what time it is.
var clock = []string{
	"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker",
	"NewTimer", "Local", "LoadLocation",
}

func TestArrowsPointInward(t *testing.T) {
	files := sources(t, "..")
	if len(files) == 0 {
		t.Fatal("no Go files found: this test looks in the wrong folder")
	}
	var got []string
	for _, f := range files {
		got = append(got, f.violations()...)
	}
	for _, v := range got {
		t.Error(v)
	}
}

// source is one Go file that is not a test.
type source struct {
	name string // from the module's root, with slashes
	pkg  string // its folder
	fset *token.FileSet
	ast  *ast.File
}

func (s source) violations() []string {
	var found []string
	for _, imp := range s.ast.Imports {
		to, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			continue // unreachable: the parser accepted it
		}
		if why := forbidden(s.pkg, to); why != "" {
			found = append(found, fmt.Sprintf("%s: %s imports %q: %s", s.at(imp), s.pkg, to, why))
		}
	}
	if matchAny(pure, s.pkg) {
		found = append(found, s.clockReads()...)
	}
	return found
}

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(n.Pos()).Line)
}

// clockReads finds time.Now and its like, under whatever name time is imported.
func (s source) clockReads() []string {
	local := ""
	for _, imp := range s.ast.Imports {
		if imp.Path.Value != `"time"` {
			continue
		}
		local = "time"
		if imp.Name != nil {
			local = imp.Name.Name
		}
		if local == "." {
			return []string{s.at(imp) + ": time is imported into the file's own scope; import it by name"}
		}
	}
	if local == "" {
		return nil
	}
	var found []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == local && slices.Contains(clock, sel.Sel.Name) {
			found = append(found, fmt.Sprintf("%s: %s uses time.%s: take the time as an argument", s.at(sel), s.pkg, sel.Sel.Name))
		}
		return true
	})
	return found
}

// forbidden returns why the package in folder from must not import to, or "".
func forbidden(from, to string) string {
	if _, ok := exempt[[2]string{from, to}]; ok {
		return ""
	}
	if to == module || strings.HasPrefix(to, module+"/") {
		return outward(from, strings.TrimPrefix(strings.TrimPrefix(to, module), "/"))
	}
	for _, b := range bans {
		if matchAny(b.packages, from) && matchAny(b.imports, to) && !matchAny(b.except, to) {
			return b.why
		}
	}
	return ""
}

// outward judges an import between two folders of the module.
func outward(from, to string) string {
	switch home := matching(adapters, from); {
	case matchAny(wiring, to):
		return "nothing imports the command"
	case matchAny(wiring, from):
		return ""
	case matchAny(pure, from) && !matchAny(pure, to):
		return "a pure package imports pure packages only"
	case home != "" && matchAny(adapters, to) && matching(adapters, to) != home:
		return "adapters do not import each other; declare the port you need and let cmd/syncer connect them"
	case home == "" && matchAny(adapters, to):
		return "only cmd/syncer imports adapters; declare the port you need"
	}
	return ""
}

// matching returns the pattern that name fits, or "".
func matching(patterns []string, name string) string {
	for _, p := range patterns {
		if root, below := strings.CutSuffix(p, "/..."); name == root || below && strings.HasPrefix(name, root+"/") {
			return p
		}
	}
	return ""
}

func matchAny(patterns []string, name string) bool { return matching(patterns, name) != "" }

// sources reads every Go file below root that is not a test, leaving out what the
// go command leaves out (testdata, and names that begin with "." or "_").
func sources(t *testing.T, root string) []source {
	t.Helper()
	var files []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != root && (name == "testdata" || name[0] == '.' || name[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || name[0] == '.' || name[0] == '_' {
			return nil
		}
		src, err := read(root, p)
		files = append(files, src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(root, p string) (source, error) {
	rel, err := filepath.Rel(root, p)
	if err != nil {
		return source{}, err
	}
	data, err := os.ReadFile(p)
	if err != nil {
		return source{}, err
	}
	return parse(filepath.ToSlash(rel), data)
}

// parse reads imports only, except where the clock is looked for too.
func parse(name string, data []byte) (source, error) {
	s := source{name: name, pkg: path.Dir(name), fset: token.NewFileSet()}
	mode := parser.ImportsOnly
	if matchAny(pure, s.pkg) {
		mode = parser.SkipObjectResolution
	}
	var err error
	s.ast, err = parser.ParseFile(s.fset, name, data, mode)
	return s, err
}

// TestArrowRules shows that each rule bites, so that TestArrowsPointInward
// passes because the imports are right and not because nothing is looked at.
func TestArrowRules(t *testing.T) {
	const own = module + "/"
	for _, c := range []struct{ name, file, body, want string }{
		{"a pure package that takes a context", "internal/drift/merge/x.go", `import "context"`, "nothing to cancel"},
		{"randomness, second version", "internal/scaffold/x.go", `import "math/rand/v2"`, "same result"},
		{"a pure package that opens files", "internal/tree/x.go", `import "os"`, "touches no disk"},
		{"a pure package that runs programs", "internal/tree/x.go", `import "os/exec"`, "touches no disk"},
		{"a pure package that dials", "internal/fleet/x.go", `import "net/http"`, "speaks to nobody"},
		{"parsing a URL is not dialling", "internal/fleet/x.go", `import "net/url"`, ""},
		{"a pure package that logs", "internal/document/x.go", `import "log/slog"`, "returns what happened"},
		{"a pure package with a client", "internal/drift/x.go", `import "github.com/google/go-github/v60/github"`, "belongs to an adapter"},
		{"a seeded hash where results could show it", "internal/scaffold/x.go", `import "hash/maphash"`, "same result"},
		{"a seeded hash inside a table of lines", "internal/drift/textmerge/x.go", `import "hash/maphash"`, ""},
		{"embedding outside docs/schema", "internal/scaffold/x.go", `import _ "embed"`, "come in as arguments"},
		{"the published schemas", "docs/schema/schema.go", `import _ "embed"`, ""},
		{"a pure package on a pure one", "internal/drift/x.go", `import "` + own + `internal/tree"`, ""},
		{"a pure package on an adapter", "internal/drift/x.go", `import "` + own + `internal/gitrepo"`, "pure packages only"},
		{"a pure package on a flow", "internal/drift/x.go", `import "` + own + `internal/reconcile"`, "pure packages only"},
		{"holding a time", "internal/fleet/x.go", `import "time"; func f(t time.Time) bool { return t.IsZero() }`, ""},
		{"reading the clock", "internal/fleet/x.go", `import "time"; var f = time.Now`, "take the time as an argument"},
		{"reading the clock under another name", "internal/fleet/x.go", `import tm "time"; func f() { tm.Sleep(1) }`, "take the time as an argument"},
		{"an adapter on its own parts", "internal/forge/localhub/x.go", `import "` + own + `internal/forge"`, ""},
		{"an adapter on another", "internal/forge/x.go", `import "` + own + `internal/gitrepo"`, "do not import each other"},
		{"deliveries on jobs", "webhooks/x.go", `import "` + own + `internal/jobs"`, "do not import each other"},
		{"an adapter on a port", "internal/gitrepo/x.go", `import "` + own + `internal/reconcile"`, ""},
		{"a flow on an adapter", "internal/reconcile/x.go", `import "` + own + `internal/store"`, "only cmd/syncer"},
		{"the golden paths on an adapter", "goldenpaths/x.go", `import "` + own + `internal/gitrepo"`, "only cmd/syncer"},
		{"the command on everybody", "cmd/syncer/x.go", `import "` + own + `internal/portal"`, ""},
		{"anybody on the command", "internal/portal/x.go", `import "` + own + `cmd/syncer"`, "nothing imports the command"},
		{"a name that only begins alike", "internal/treehouse/x.go", `import "os"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := parse(c.file, []byte("package x\n\n"+c.body+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			got := src.violations()
			if c.want == "" {
				if diff := cmp.Diff([]string(nil), got); diff != "" {
					t.Errorf("mismatch (-want +got):\n%s", diff)
				}
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0], c.file+":3: ") || !strings.Contains(got[0], c.want) {
				t.Errorf("got %q, want one line that begins with %q and says %q", got, c.file+":3: ", c.want)
			}
		})
	}
}
