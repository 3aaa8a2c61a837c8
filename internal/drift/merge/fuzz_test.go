package merge_test

import (
	"testing"
	"time"

	"github.com/goldenpaths/syncer/internal/drift/merge"
)

// FuzzMerge holds every input to what check asks, within a time for its size.
func FuzzMerge(f *testing.F) {
	for _, e := range examples {
		f.Add(e.path, []byte(e.base), []byte(e.ours), []byte(e.theirs))
	}
	f.Fuzz(func(t *testing.T, path string, b, o, th []byte) {
		if len(b)+len(o)+len(th) > 1<<16 {
			return
		}
		start := time.Now()
		check(t, path, b, o, th, merge.Options{})
		check(t, path, b, o, th, merge.Options{Suggested: merge.Apply, On: optional()})
		if spent, limit := time.Since(start), 2*time.Second+time.Duration(len(b)+len(o)+len(th))*100*time.Microsecond; spent > limit {
			t.Fatalf("took %v for %d bytes", spent, len(b)+len(o)+len(th))
		}
	})
}
