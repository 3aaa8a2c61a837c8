package merge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/drift/merge"
	"github.com/goldenpaths/syncer/internal/drift/textmerge"
)

// entries is a YAML file of n maps; a few of them are changed on both sides.
func entries(n int, with map[int]string) []byte {
	var b strings.Builder
	b.WriteString("jobs:\n")
	for i := range n {
		fmt.Fprintf(&b, "  job%d:\n    image: app:1.%d.0\n    run: make target%d\n", i, i, i)
		b.WriteString(with[i])
	}
	return []byte(b.String())
}

// BenchmarkMerge compares the line engine, a merge that is clean, and one in
// which the structure is asked, on a file of 5 KB.
func BenchmarkMerge(b *testing.B) {
	base := entries(80, nil)
	ours := entries(80, map[int]string{10: "    cache: disk\n", 40: "    when: always\n"})
	clean := entries(80, map[int]string{20: "    needs: job1\n"})
	clash := entries(80, map[int]string{20: "    needs: job1\n", 40: "    retry: 3\n"})
	b.Run("lines", func(b *testing.B) {
		for b.Loop() {
			textmerge.Merge(base, ours, clean)
		}
	})
	for name, theirs := range map[string][]byte{"clean": clean, "structure": clash} {
		for _, path := range []string{"x.txt", "x.yml"} {
			b.Run(name+"/"+path, func(b *testing.B) {
				for b.Loop() {
					merge.Merge(path, base, ours, theirs, merge.Options{})
				}
			})
		}
	}
}
