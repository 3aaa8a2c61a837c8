package textmerge

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gitRunner runs the real git on files in a folder of its own.
type gitRunner struct {
	dir string
	env []string
}

func newGit(t testing.TB) gitRunner {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	return gitRunner{dir: t.TempDir(), env: append(os.Environ(),
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES=/")}
}

// run runs git and returns what it printed and its exit status.
func (g gitRunner) run(t testing.TB, args ...string) (string, int) {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir, c.Env = g.dir, g.env
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if stderr.Len() > 0 && !strings.Contains(stderr.String(), "conflicts") {
		t.Fatalf("git %v: %s", args, stderr.String())
	}
	return string(out), c.ProcessState.ExitCode()
}

func (g gitRunner) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mergeFile returns what git merge-file -p prints and the number of conflicts.
func (g gitRunner) mergeFile(t testing.TB, c texts, options ...string) (string, int) {
	t.Helper()
	g.write(t, "base", c.base)
	g.write(t, "ours", c.ours)
	g.write(t, "theirs", c.theirs)
	return g.run(t, append(append([]string{"merge-file", "-p", "-q"}, options...), "ours", "base", "theirs")...)
}

// texts is a case to merge.
type texts struct{ base, ours, theirs string }

// checkAgainstGit compares Merge and Markers with git.
func checkAgainstGit(t *testing.T, g gitRunner, c texts) {
	t.Helper()
	want, conflicts := g.mergeFile(t, c)
	labels := Labels{Ours: "ours", Base: "base", Theirs: "theirs"}
	got, n := Markers([]byte(c.base), []byte(c.ours), []byte(c.theirs), labels)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Fatalf("Markers(%q, %q, %q): mismatch (-want +got)\n%s", c.base, c.ours, c.theirs, diff)
	}
	if min(n, 127) != conflicts {
		t.Fatalf("Markers(%q, %q, %q) has %d conflicts, want %d", c.base, c.ours, c.theirs, n, conflicts)
	}
	r := Merge([]byte(c.base), []byte(c.ours), []byte(c.theirs))
	if r.Clean() != (conflicts == 0) || r.Clean() && string(r.Merged) != want {
		t.Fatalf("Merge(%q, %q, %q) = %q, %d conflicts, want %q, %d", c.base, c.ours, c.theirs,
			r.Merged, len(r.Conflicts), want, conflicts)
	}
}

// TestAgreesWithGitOnRepeatedLines merges texts of few different lines, where
// nearly every alignment is a choice between equals.
func TestAgreesWithGitOnRepeatedLines(t *testing.T) {
	g := newGit(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds(t, 1500) {
		checkAgainstGit(t, g, repeatedLines(rng))
	}
}

// TestAgreesWithGitOnEdits merges texts that look like files and were edited
// here and there.
func TestAgreesWithGitOnEdits(t *testing.T) {
	g := newGit(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for range rounds(t, 500) {
		checkAgainstGit(t, g, editedFile(rng))
	}
}

// TestAgreesWithGitOnLongTexts reaches the limits of the search.
func TestAgreesWithGitOnLongTexts(t *testing.T) {
	g := newGit(t)
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range rounds(t, 40) {
		alphabet := []int{2, 5, 40, 300}[i%4]
		base := randomLines(rng, 500+rng.IntN(3000), alphabet)
		edit := func() string {
			if i%3 == 0 {
				return strings.Join(mutate(rng, base, alphabet, 400), "")
			}
			return strings.Join(append(mutate(rng, base[:len(base)/2], alphabet, 10),
				randomLines(rng, 200+rng.IntN(2500), alphabet)...), "")
		}
		checkAgainstGit(t, g, texts{strings.Join(base, ""), edit(), edit()})
	}
}

// TestMarkersStylesAgreeWithGit compares the styles that show the base.
func TestMarkersStylesAgreeWithGit(t *testing.T) {
	g := newGit(t)
	rng := rand.New(rand.NewPCG(7, 8))
	for option, style := range map[string]Style{"--diff3": StyleDiff3, "--zdiff3": StyleZDiff3} {
		for range rounds(t, 300) {
			c := repeatedLines(rng)
			r := compare([]byte(c.base), []byte(c.ours), []byte(c.theirs))
			if hasKind(r.regions, alike) {
				continue // git marks equal texts; we do not
			}
			want, conflicts := g.mergeFile(t, c, option, "--marker-size=9", "-L", "a", "-L", "b", "-L", "c")
			got, n := Markers([]byte(c.base), []byte(c.ours), []byte(c.theirs),
				Labels{Ours: "a", Base: "b", Theirs: "c", Style: style, MarkerSize: 9})
			if diff := cmp.Diff(want, string(got)); diff != "" || n != conflicts {
				t.Fatalf("%s of %q: %d conflicts, want %d; mismatch (-want +got)\n%s", option, c, n, conflicts, diff)
			}
		}
	}
}

func hasKind(rs []region, k kind) bool {
	for _, r := range rs {
		if r.kind == k {
			return true
		}
	}
	return false
}

// rounds returns n, or a tenth of it with -short.
func rounds(t *testing.T, n int) int {
	t.Helper()
	if testing.Short() {
		return max(1, n/10)
	}
	return n
}

// repeatedLines makes a case from an alphabet of one to six lines.
func repeatedLines(rng *rand.Rand) texts {
	alphabet := 1 + rng.IntN(6)
	base := randomLines(rng, rng.IntN(25), alphabet)
	side := func() string {
		ls := mutate(rng, base, alphabet, 1+rng.IntN(5))
		return maybeCut(rng, strings.Join(ls, ""))
	}
	return texts{maybeCut(rng, strings.Join(base, "")), side(), side()}
}

// maybeCut sometimes takes the last terminator away.
func maybeCut(rng *rand.Rand, s string) string {
	if rng.IntN(6) == 0 {
		return strings.TrimSuffix(s, "\n")
	}
	return s
}

// randomLines makes n lines; in some alphabets they end as on Windows, and the
// last line is empty.
func randomLines(rng *rand.Rand, n, alphabet int) []string {
	ls := make([]string, n)
	for i := range ls {
		ls[i] = letter(rng.IntN(alphabet), alphabet)
	}
	return ls
}

func letter(i, alphabet int) string {
	switch {
	case i == 5 || i == 1 && alphabet == 3:
		return "\n"
	case alphabet == 4:
		return fmt.Sprintf("%c\r\n", 'a'+i)
	}
	return fmt.Sprintf("%c%d\n", 'a'+i%26, i/26)
}

// mutate makes n small changes: lines deleted, inserted, replaced, repeated or
// moved.
func mutate(rng *rand.Rand, lines []string, alphabet, n int) []string {
	ls := append([]string(nil), lines...)
	for range n {
		at := rng.IntN(len(ls) + 1)
		end := min(len(ls), at+rng.IntN(4))
		var put []string
		switch rng.IntN(4) {
		case 0:
			put = randomLines(rng, rng.IntN(4), alphabet)
		case 1:
			put = append(append(put, ls[at:end]...), ls[at:end]...)
		case 2:
			put = randomLines(rng, end-at, alphabet)
		}
		ls = append(append(append([]string(nil), ls[:at]...), put...), ls[end:]...)
	}
	return ls
}

// editedFile makes a case of a file with functions, blank lines and braces.
func editedFile(rng *rand.Rand) texts {
	var base []string
	for f := range 3 + rng.IntN(20) {
		base = append(base, fmt.Sprintf("// handle%d handles request %d.\n", f, rng.IntN(9)),
			fmt.Sprintf("func handle%d() error {\n", f))
		for range rng.IntN(8) {
			base = append(base, fmt.Sprintf("\tstep%d()\n", rng.IntN(60)),
				"\tif err != nil {\n", "\t\treturn err\n", "\t}\n")
		}
		base = append(base, "\treturn nil\n", "}\n", "\n")
	}
	side := func() string {
		ls := append([]string(nil), base...)
		for range 1 + rng.IntN(5) {
			ls = editOnce(rng, ls)
		}
		return maybeCut(rng, strings.Join(ls, ""))
	}
	return texts{strings.Join(base, ""), side(), side()}
}

func editOnce(rng *rand.Rand, ls []string) []string {
	at := rng.IntN(len(ls))
	end := min(len(ls), at+1+rng.IntN(9))
	put := []string(nil)
	switch rng.IntN(4) {
	case 0:
		put = []string{fmt.Sprintf("\tlog.Print(%d)\n", rng.IntN(5)), "\n"}
		end = at
	case 1:
		put = append([]string{"\tfor {\n"}, append(append(put, ls[at:end]...), "\t}\n")...)
	case 2:
		put = append(append(put, ls[at:end]...), ls[at:end]...)
	}
	return append(append(append([]string(nil), ls[:at]...), put...), ls[end:]...)
}
