package textmerge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// typicalFile makes a case of about 4.7 KB with an edit on either side.
func typicalFile() texts {
	var base []string
	for i := range 135 {
		if i%8 == 7 {
			base = append(base, "\n")
			continue
		}
		base = append(base, fmt.Sprintf("  setting_%03d: %s-%d  # on\n", i, "value of some length"[:8+i%12], i*7919%1000))
	}
	ours := append([]string(nil), base...)
	ours[20] = "  setting_020: mine\n"
	ours = append(ours[:60], append([]string{"  own_1: yes\n", "  own_2: no\n"}, ours[60:]...)...)
	theirs := append([]string(nil), base...)
	theirs[100] = "  setting_100: new\n"
	theirs = append(theirs[:40], theirs[43:]...)
	return texts{strings.Join(base, ""), strings.Join(ours, ""), strings.Join(theirs, "")}
}

func benchmarkMerge(b *testing.B, c texts) {
	b.Helper()
	base, ours, theirs := []byte(c.base), []byte(c.ours), []byte(c.theirs)
	b.SetBytes(int64(len(base)))
	b.ReportAllocs()
	for b.Loop() {
		Merge(base, ours, theirs)
	}
}

func BenchmarkMergeTypicalFile(b *testing.B) { benchmarkMerge(b, typicalFile()) }

// BenchmarkGitMergeFile starts a git process for the file of
// BenchmarkMergeTypicalFile, which is how git's own merge is usually called.
func BenchmarkGitMergeFile(b *testing.B) {
	g := newGit(b)
	c := typicalFile()
	g.mergeFile(b, c)
	for b.Loop() {
		g.run(b, "merge-file", "-p", "-q", "ours", "base", "theirs")
	}
}

func BenchmarkMerge5000RepeatedLines(b *testing.B) {
	line := "  - repeated\n"
	benchmarkMerge(b, texts{
		strings.Repeat(line, 5000),
		"ours\n" + strings.Repeat(line, 4990),
		strings.Repeat(line, 5020) + "theirs\n",
	})
}

// BenchmarkMerge5000AlternatingLines cannot trim anything but the ends.
func BenchmarkMerge5000AlternatingLines(b *testing.B) {
	benchmarkMerge(b, texts{
		strings.Repeat("a\nb\n", 2500),
		"x\n" + strings.Repeat("b\na\n", 2480) + "y\n",
		"z\n" + strings.Repeat("a\nb\nb\n", 1700),
	})
}

func BenchmarkMergeMillionLines(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	base := randomLines(rng, 1_000_000, 50_000)
	benchmarkMerge(b, texts{
		strings.Join(base, ""),
		strings.Join(mutate(rng, base, 50_000, 100), ""),
		strings.Join(mutate(rng, base, 50_000, 100), ""),
	})
}

func BenchmarkMerge20000DifferentLines(b *testing.B) {
	for _, alphabet := range []int{2, 100, 10_000} {
		b.Run(fmt.Sprintf("of_%d", alphabet), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			some := func() string { return strings.Join(randomLines(rng, 20_000, alphabet), "") }
			benchmarkMerge(b, texts{some(), some(), some()})
		})
	}
}
