package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMergeBatch(t *testing.T) {
	in := `{"id":"clean","path":"a.txt","base":"a\nb\nc\n","ours":"A\nb\nc\n","theirs":"a\nb\nC\n","repo":"acme/pay","event":"e1"}

{"id":7,"base":"a\n","ours":"<b>\n","theirs":"c\n"}
{"id":null,"base":"","ours":"","theirs":"\ud83d\ude00 \\ud83d & <é>\n"}
{"id":"no end","base":"a","ours":"a","theirs":""}`
	want := `{"id":"clean","merged":"A\nb\nC\n","conflicts":0,"by":"text"}
{"id":7,"conflicts":1,"by":"text"}
{"id":null,"merged":"😀 \\ud83d & <é>\n","conflicts":0,"by":"text"}
{"id":"no end","merged":"","conflicts":0,"by":"text"}
`
	var out strings.Builder
	if err := mergeBatch(strings.NewReader(in), &out, batchOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("mismatch (-want +got)\n%s", diff)
	}
}

// TestMergeBatchKeepsOrder sends lines that take long and short to merge, one of
// them longer than any default limit.
func TestMergeBatchKeepsOrder(t *testing.T) {
	var in strings.Builder
	for i := range 200 {
		n := i * 37 % 100
		if i == 50 {
			n = 100_000
		}
		base := strings.Repeat("line \\n", n)
		fmt.Fprintf(&in, `{"id":%d,"base":"%s","ours":"0\n%s","theirs":"%sz\n"}`+"\n", i, base, base, base)
	}
	var out strings.Builder
	if err := mergeBatch(strings.NewReader(in.String()), &out, batchOptions{}); err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(answers) != 200 {
		t.Fatalf("%d answers, want 200", len(answers))
	}
	for i, line := range answers {
		var a batchAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if string(a.ID) != fmt.Sprint(i) {
			t.Fatalf("answer %d has id %s", i, a.ID)
		}
	}
}

// TestMergeBatchAnswersAtOnce holds a conversation: the next line is sent after
// the answer to the last has arrived.
func TestMergeBatchAnswersAtOnce(t *testing.T) {
	requests, in := io.Pipe()
	out, answers := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- mergeBatch(requests, answers, batchOptions{}) }()
	lines := bufio.NewReader(out)
	for i := range 3 {
		fmt.Fprintf(in, `{"id":%d,"base":"","ours":"","theirs":""}`+"\n", i)
		got, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`{"id":%d,"merged":"","conflicts":0,"by":"text"}`+"\n", i); got != want {
			t.Fatalf("answer = %s, want %s", got, want)
		}
	}
	in.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMergeBatchErrors(t *testing.T) {
	const good = `{"id":1,"base":"","ours":"","theirs":""}` + "\n"
	tests := []struct{ name, line, want string }{
		{"not JSON", "base", "line 2 of the batch: invalid character"},
		{"not an object", `["a"]`, `expected {"id": …, "base": "…", "ours": "…", "theirs": "…"}`},
		{"cut off", `{"id":1,"base":"`, "line 2 of the batch: unexpected end"},
		{"no id", `{"base":"","ours":"","theirs":""}`, `line 2 of the batch: "id" is missing`},
		{"no side", `{"id":1,"base":"","theirs":""}`, `line 2 of the batch: "ours" is missing`},
		{"null", `{"id":1,"base":null,"ours":"","theirs":""}`, `line 2 of the batch: "base" is missing`},
		{"wrong type", `{"id":1,"base":1,"ours":"","theirs":""}`, "line 2 of the batch: json: cannot unmarshal number"},
		{"not UTF-8", "{\"id\":1,\"base\":\"\xff\",\"ours\":\"\",\"theirs\":\"\"}", "line 2 of the batch: not valid UTF-8"},
		{"half a character", `{"id":1,"base":"\ud83d","ours":"","theirs":""}`, "half of a surrogate pair"},
		{"the other half", `{"id":1,"base":"\\\udE00","ours":"","theirs":""}`, "half of a surrogate pair"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := mergeBatch(strings.NewReader(good+test.line+"\n"+good), &out, batchOptions{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
			if got := strings.Count(out.String(), "\n"); got != 1 {
				t.Errorf("%d answers before the error, want 1", got)
			}
		})
	}
}

func TestReadBatchLineLimit(t *testing.T) {
	in := bufio.NewReaderSize(strings.NewReader(strings.Repeat("x", 2<<20)+"\n"), 1<<16)
	if _, err := readBatchLine(in, 1<<20); err == nil || !strings.Contains(err.Error(), "longer than 1 MiB") {
		t.Errorf("error = %v, want one that says the limit", err)
	}
}

var errFull = errors.New("no space left")

// fullDisk takes a number of bytes and then fails.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.room -= len(p); d.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestMergeBatchWriteError(t *testing.T) {
	in := strings.Repeat(`{"id":1,"base":"","ours":"","theirs":"a\n"}`+"\n", 10_000)
	if err := mergeBatch(strings.NewReader(in), &fullDisk{1000}, batchOptions{}); !errors.Is(err, errFull) {
		t.Errorf("error = %v, want %v", err, errFull)
	}
}
