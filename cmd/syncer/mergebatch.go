package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goldenpaths/syncer/internal/drift/merge"
)

// maxBatchLine bounds what one line of a batch may take of memory.
const maxBatchLine = 256 << 20

// batchRequest is one line of a batch: three versions of a file. Other fields
// are allowed and ignored.
type batchRequest struct {
	ID     json.RawMessage `json:"id"`
	Path   string          `json:"path"`
	Base   *string         `json:"base"`
	Ours   *string         `json:"ours"`
	Theirs *string         `json:"theirs"`
}

// batchAnswer is the line that answers a request. Merged is left out where
// there are conflicts; By says how the file was merged.
type batchAnswer struct {
	ID        json.RawMessage `json:"id"`
	Merged    *string         `json:"merged,omitempty"`
	Conflicts int             `json:"conflicts"`
	By        string          `json:"by"`
	Hunks     []batchHunk     `json:"hunks,omitempty"`
}

// batchHunk is one place that both sides changed.
type batchHunk struct {
	Line     int        `json:"line"` // of ours, from 1
	Tier     merge.Tier `json:"tier"`
	Resolver string     `json:"resolver,omitempty"`
	Reason   string     `json:"reason"`
	Base     string     `json:"base"`
	Ours     string     `json:"ours"`
	Theirs   string     `json:"theirs"`
	Proposal *string    `json:"proposal,omitempty"`
}

// batchOptions say how a batch is merged and what is told of it.
type batchOptions struct {
	options merge.Options
	hunks   bool // answers tell of every hunk
}

func batchHunks(r merge.Result) []batchHunk {
	var hs []batchHunk
	for _, h := range r.Hunks {
		b := batchHunk{Line: h.OursLine, Tier: h.Tier, Resolver: h.Resolver, Reason: h.Reason,
			Base: string(h.Base), Ours: string(h.Ours), Theirs: string(h.Theirs)}
		if h.Tier != merge.Conflict {
			p := string(h.Proposal)
			b.Proposal = &p
		}
		hs = append(hs, b)
	}
	return hs
}

// resolvedBy names what decided the file: "text" where lines were enough, else
// the resolvers of its hunks, each once, in order of appearance.
func resolvedBy(r merge.Result) string {
	var names []string
	for _, h := range r.Hunks {
		if h.Applied && !slices.Contains(names, h.Resolver) {
			names = append(names, h.Resolver)
		}
	}
	if names == nil {
		return "text"
	}
	return strings.Join(names, ",")
}

// batchJob is a line on its way from request to answer.
type batchJob struct {
	number int // of the line, from 1
	line   []byte
	answer chan batchOutcome // gets one value
}

type batchOutcome struct {
	line []byte
	err  error
}

// mergeBatch reads requests from r, a JSON object a line, and writes an answer
// for each to w, in the same order, until r ends. It works on as many lines at
// once as there are processors, and whenever the next answer has to be waited
// for it flushes those that are there, so that a program may talk with it line
// by line.
//
// Blank lines are skipped. A line that is no request, or longer than 256 MiB, is
// an error that names the line; all lines before it are answered.
func mergeBatch(r io.Reader, w io.Writer, how batchOptions) error {
	workers := runtime.GOMAXPROCS(0)
	work := make(chan batchJob)
	order := make(chan batchJob, workers)
	stopped := make(chan struct{})

	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for j := range work {
				line, err := mergeLine(j.line, how)
				if err != nil {
					err = fmt.Errorf("line %d of the batch: %w", j.number, err)
				}
				j.answer <- batchOutcome{line, err}
			}
		})
	}
	var writeErr error
	running.Go(func() {
		defer close(stopped)
		writeErr = writeBatch(w, order)
	})

	readErr := readBatch(r, work, order, stopped)
	close(work)
	close(order)
	running.Wait()
	if writeErr != nil {
		return writeErr
	}
	return readErr
}

// readBatch hands every line to a worker and, in order, to the writer. It ends
// at the end of r, at an error, or when the writer has stopped.
func readBatch(r io.Reader, work, order chan<- batchJob, stopped <-chan struct{}) error {
	in := bufio.NewReaderSize(r, 1<<16)
	for number := 1; ; number++ {
		line, err := readBatchLine(in, maxBatchLine)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d of the batch: %w", number, err)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			j := batchJob{number, line, make(chan batchOutcome, 1)}
			select {
			case order <- j:
				work <- j
			case <-stopped:
				return nil
			}
		}
		if err != nil {
			return nil
		}
	}
}

// readBatchLine reads one line of at most limit bytes. At the end of the input
// it returns what is left together with io.EOF.
func readBatchLine(in *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, fmt.Errorf("longer than %d MiB; leave this file out of the batch", limit>>20)
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// writeBatch writes the answers in the order of their jobs and stops at the
// first that is an error.
func writeBatch(w io.Writer, order <-chan batchJob) error {
	out := bufio.NewWriterSize(w, 1<<16)
	for j := range order {
		var done batchOutcome
		select {
		case done = <-j.answer:
		default:
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write the answers: %w", err)
			}
			done = <-j.answer
		}
		if done.err != nil {
			return errors.Join(done.err, out.Flush())
		}
		if _, err := out.Write(done.line); err != nil {
			return fmt.Errorf("write the answers: %w", err)
		}
		if len(order) > 0 {
			continue
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("write the answers: %w", err)
		}
	}
	return nil
}

// mergeLine answers one request.
func mergeLine(line []byte, how batchOptions) ([]byte, error) {
	req, err := parseRequest(line)
	if err != nil {
		return nil, err
	}
	r := merge.Merge(req.Path, []byte(*req.Base), []byte(*req.Ours), []byte(*req.Theirs), how.options)
	a := batchAnswer{ID: req.ID, Conflicts: r.Open(), By: resolvedBy(r)}
	if r.Clean() {
		merged := string(r.Text)
		a.Merged = &merged
	}
	if how.hunks {
		a.Hunks = batchHunks(r)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return out.Bytes(), nil
}

// wantRequest is what a line of a batch has to be.
const wantRequest = `expected {"id": …, "base": "…", "ours": "…", "theirs": "…"}`

// parseRequest reads a request and refuses one that does not hold its texts as
// they are: JSON's decoder would replace bytes that are not Unicode.
func parseRequest(line []byte) (batchRequest, error) {
	var req batchRequest
	if !utf8.Valid(line) {
		return req, fmt.Errorf("not valid UTF-8; %s in UTF-8", wantRequest)
	}
	if err := json.Unmarshal(line, &req); err != nil {
		return req, fmt.Errorf("%w; %s", err, wantRequest)
	}
	if len(req.ID) == 0 {
		return req, fmt.Errorf(`"id" is missing; %s`, wantRequest)
	}
	for _, f := range []struct {
		name string
		text *string
	}{{"base", req.Base}, {"ours", req.Ours}, {"theirs", req.Theirs}} {
		if f.text == nil {
			return req, fmt.Errorf("%q is missing; %s", f.name, wantRequest)
		}
	}
	if hasLoneSurrogate(line) {
		return req, fmt.Errorf(`a \u escape is half of a surrogate pair and stands for no character; %s`, wantRequest)
	}
	return req, nil
}

// hasLoneSurrogate reports whether the valid JSON in line escapes one half of a
// surrogate pair without the other.
func hasLoneSurrogate(line []byte) bool {
	for {
		at := bytes.IndexByte(line, '\\')
		if at < 0 {
			return false
		}
		line = line[at:]
		c, ok := escapedUnit(line)
		switch {
		case !ok:
			line = line[2:]
		case c>>10 == 0xdc00>>10: // a second half that no first half precedes
			return true
		case c>>10 != 0xd800>>10:
			line = line[6:]
		default:
			if low, ok := escapedUnit(line[6:]); !ok || low>>10 != 0xdc00>>10 {
				return true
			}
			line = line[12:]
		}
	}
}

// escapedUnit returns the UTF-16 code unit of the \u escape that s begins with,
// if it begins with one.
func escapedUnit(s []byte) (uint16, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var c uint16
	for _, d := range s[2:6] {
		c <<= 4
		switch {
		case '0' <= d && d <= '9':
			c |= uint16(d - '0')
		default:
			c |= uint16(d|0x20-'a') + 10
		}
	}
	return c, true
}
