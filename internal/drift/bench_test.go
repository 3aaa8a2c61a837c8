package drift_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/goldenpaths/syncer/internal/drift"
	"github.com/goldenpaths/syncer/internal/scaffold"
	"github.com/goldenpaths/syncer/internal/tree"
)

// workload is a golden path of n files of 2.5 KB, each with 8 inputs in it. A
// tenth of the files change in version 2, and the member edits half of those.
type workload struct {
	v1, v2 tree.Tree
	inputs scaffold.Inputs
}

func newWorkload(n int) workload {
	w := workload{v1: tree.Tree{}, v2: tree.Tree{}, inputs: scaffold.Inputs{}}
	var props strings.Builder
	for i := range 8 {
		fmt.Fprintf(&props, "    i%d: {type: string, default: v%d}\n", i, i)
	}
	manifest := tree.Text("apiVersion: syncer/v1\nkind: GoldenPath\nname: gp\ninputs:\n  type: object\n  properties:\n" + props.String())
	w.v1["goldenpaths/gp/goldenpath.yaml"], w.v2["goldenpaths/gp/goldenpath.yaml"] = manifest, manifest
	for i := range n {
		p := fmt.Sprintf("goldenpaths/gp/template/d%02d/f%04d.txt.tmpl", i%20, i)
		var b strings.Builder
		for line := range 50 {
			says := "as much as a line of a file does"
			if line%6 == 0 && line < 48 {
				says = fmt.Sprintf("{{ .i%d }}", line/6)
			}
			fmt.Fprintf(&b, "line %d of file %d says %s\n", line, i, says)
		}
		text := b.String()
		w.v1[p], w.v2[p] = tree.Text(text), tree.Text(text)
		if i%10 == 0 {
			w.v2[p] = tree.Text(strings.Replace(text, "line 40 of", "line 40, changed, of", 1))
		}
	}
	return w
}

func (w workload) load(b *testing.B, files tree.Tree) (*scaffold.GoldenPath, scaffold.Inputs) {
	b.Helper()
	g, err := scaffold.Load(files, "gp")
	if err != nil {
		b.Fatal(err)
	}
	inputs, err := g.Resolve(scaffold.Place{}, w.inputs)
	if err != nil {
		b.Fatal(err)
	}
	return g, inputs
}

func render(b *testing.B, g *scaffold.GoldenPath, inputs scaffold.Inputs) scaffold.Rendering {
	b.Helper()
	r, err := g.Render(inputs, scaffold.Machine{Repository: "acme/m", Version: "1"})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// edited returns a member's files: the rendering, with half of what version 2
// changes edited, and 200 files of its own.
func edited(r scaffold.Rendering) tree.Tree {
	ours := r.Tree()
	for i, p := range r.Paths() {
		if i%20 == 0 {
			ours[p] = tree.Text("mine\n" + string(ours[p].Data))
		}
	}
	for i := range 200 {
		ours[fmt.Sprintf("own/%d.go", i)] = tree.Text("package own\n")
	}
	return ours
}

func sizes(b *testing.B, run func(*testing.B, workload)) {
	for _, n := range []int{60, 2000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) { run(b, newWorkload(n)) })
	}
}

// BenchmarkLoadAndRender is a render from cold: parse manifest and templates,
// resolve, render.
func BenchmarkLoadAndRender(b *testing.B) {
	sizes(b, func(b *testing.B, w workload) {
		b.ReportAllocs()
		for b.Loop() {
			g, inputs := w.load(b, w.v1)
			render(b, g, inputs)
		}
	})
}

// BenchmarkRender is a render with the parsed templates kept.
func BenchmarkRender(b *testing.B) {
	sizes(b, func(b *testing.B, w workload) {
		g, inputs := w.load(b, w.v1)
		b.ReportAllocs()
		for b.Loop() {
			render(b, g, inputs)
		}
	})
}

// BenchmarkPlan is the plan and merge of one member, without its renders.
func BenchmarkPlan(b *testing.B) {
	sizes(b, func(b *testing.B, w workload) {
		r := w.request(b)
		b.ReportAllocs()
		for b.Loop() {
			if cs := drift.Plan(r); !cs.Clean() {
				b.Fatal("a conflict")
			}
		}
	})
}

func (w workload) request(b *testing.B) drift.Request {
	g1, inputs := w.load(b, w.v1)
	g2, _ := w.load(b, w.v2)
	base, theirs := render(b, g1, inputs), render(b, g2, inputs)
	locked := drift.Plan(drift.Request{To: drift.Revision{Version: "1"}, Theirs: base, Ours: tree.Tree{}}).Lock
	files := base.Tree()
	return drift.Request{Locked: locked, To: drift.Revision{Version: "2"}, Theirs: theirs, Ours: edited(base), Base: baseOf(files)}
}

// BenchmarkFleet plans 10,000 members on all processors, each with its own
// render of the new version. MiB is the heap that is in use at the end.
func BenchmarkFleet(b *testing.B) {
	w := newWorkload(60)
	r := w.request(b)
	g2, inputs := w.load(b, w.v2)
	for b.Loop() {
		members := make(chan int)
		var wait sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			wait.Go(func() {
				for range members {
					own := r
					own.Theirs = render(b, g2, inputs)
					drift.Plan(own)
				}
			})
		}
		for i := range 10_000 {
			members <- i
		}
		close(members)
		wait.Wait()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapInuse)/(1<<20), "MiB")
}

// BenchmarkParseLock reads the lock of a member.
func BenchmarkParseLock(b *testing.B) {
	sizes(b, func(b *testing.B, w workload) {
		text, err := (&drift.Lock{GoldenPaths: map[string]*drift.Section{"gp": w.request(b).Locked}}).Format()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := drift.ParseLock(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
