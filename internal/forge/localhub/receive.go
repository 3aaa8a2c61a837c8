package localhub

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// advertiseReceive tells a pushing client the references and what is spoken here.
func (h *Hub) advertiseReceive(w http.ResponseWriter, repo *repository) {
	list, err := repo.store.refs("refs/")
	if err != nil {
		gitFail(w, http.StatusInternalServerError, err.Error())
		return
	}
	a := packp.NewAdvRefs()
	a.Prefix = [][]byte{[]byte("# service=git-receive-pack"), pktline.Flush}
	for _, name := range []capability.Capability{capability.ReportStatus, capability.DeleteRefs, capability.OFSDelta, capability.Atomic, capability.Sideband64k, capability.Quiet} {
		if err := a.Capabilities.Set(name); err != nil {
			gitFail(w, http.StatusInternalServerError, err.Error())
			return
		}
	}
	_ = a.Capabilities.Set(capability.Agent, "localhub") // a known capability
	for _, r := range list {
		if !strings.HasPrefix(r.Name().String(), "refs/pull/") {
			a.References[r.Name().String()] = r.Hash()
		}
	}
	_ = a.Encode(w) // the client went away
}

func (h *Hub) receivePack(w http.ResponseWriter, r *http.Request) {
	h.gitService(w, r, "git-receive-pack", func(w http.ResponseWriter) {
		call, may := h.gitAccess(w, r, true)
		if !may {
			return
		}
		body, err := gitBody(w, r)
		if err != nil {
			gitFail(w, http.StatusBadRequest, err.Error())
			return
		}
		request := packp.NewReferenceUpdateRequest()
		if err := request.Decode(body); err != nil {
			if errors.Is(err, packp.ErrEmpty) {
				return // git asks with an empty request whether it may push
			}
			gitFail(w, http.StatusBadRequest, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		w.Header().Set("Cache-Control", "no-cache")
		h.receive(w, call, request)
	})
}

// receive takes the pack, moves the references that rules let move, and reports.
func (h *Hub) receive(w io.Writer, call gitCall, request *packp.ReferenceUpdateRequest) {
	report := packp.NewReportStatus()
	report.UnpackStatus = "ok"
	var said []string
	if err := call.repo.store.unpack(request.Packfile); err != nil {
		report.UnpackStatus = "unpacker error"
		said = append(said, err.Error())
		for _, cmd := range request.Commands {
			report.CommandStatuses = append(report.CommandStatuses, &packp.CommandStatus{ReferenceName: cmd.Name, Status: "unpacker error"})
		}
	} else {
		h.mu.Lock()
		statuses := h.obey(call, request)
		h.mu.Unlock()
		for i, cmd := range request.Commands {
			report.CommandStatuses = append(report.CommandStatuses, &packp.CommandStatus{ReferenceName: cmd.Name, Status: statuses[i].status})
			said = append(said, statuses[i].said...)
		}
	}
	out := io.Writer(w)
	if request.Capabilities.Supports(capability.Sideband64k) {
		m := sideband.NewMuxer(sideband.Sideband64k, w)
		for _, line := range said {
			_, _ = m.WriteChannel(sideband.ProgressMessage, []byte(line+"\n")) // the client went away
		}
		out = m
	}
	var text bytes.Buffer
	_ = report.Encode(&text) // into memory
	_, _ = out.Write(text.Bytes())
	if out != w {
		_ = pktline.NewEncoder(w).Flush()
	}
}

// verdict is what a push is told of one reference.
type verdict struct {
	status string
	said   []string
}

// obey moves references; with the atomic capability all or none. The hub is locked.
func (h *Hub) obey(call gitCall, request *packp.ReferenceUpdateRequest) []verdict {
	out := make([]verdict, len(request.Commands))
	atomic := request.Capabilities.Supports(capability.Atomic)
	refused := false
	for i, cmd := range request.Commands {
		out[i] = h.judge(call, cmd)
		refused = refused || out[i].status != "ok"
	}
	for i, cmd := range request.Commands {
		switch {
		case atomic && refused:
			if out[i].status == "ok" {
				out[i].status = "atomic transaction failed"
			}
		case out[i].status == "ok":
			if bad, err := h.moveRef(call.repo, refMove{name: cmd.Name.String(), from: cmd.Old, to: cmd.New, by: call.actor}, false); err != nil || bad != nil {
				out[i].status = "failed to update ref"
			}
		}
	}
	return out
}

// judge decides whether one reference may move.
func (h *Hub) judge(call gitCall, cmd *packp.Command) verdict {
	g, name := call.repo.store, cmd.Name.String()
	now, _ := g.ref(name)
	switch {
	case strings.HasPrefix(name, "refs/pull/"):
		return verdict{status: "deny updating a hidden ref"}
	case !g.validRef(name):
		return verdict{status: "funny refname"}
	case now != cmd.Old:
		return verdict{status: "fetch first"}
	case cmd.New.IsZero() && name == "refs/heads/"+call.repo.defaultBranch:
		return verdict{status: "refusing to delete the current branch: " + name}
	case !cmd.New.IsZero() && !g.has(cmd.New):
		return verdict{status: "missing necessary objects"}
	case cmd.Old.IsZero() && g.blocked(name):
		return verdict{status: "cannot lock ref"}
	case strings.HasPrefix(name, "refs/heads/") && !cmd.New.IsZero() && g.kind(cmd.New) != "commit":
		return verdict{status: "cannot update ref: not a commit"}
	}
	m := refMove{name: name, from: cmd.Old, to: cmd.New, by: call.actor}
	if forward, err := g.forward(m); err == nil {
		m.forced = !forward
	}
	bad, err := h.breaches(call.repo, m, false)
	switch {
	case err != nil:
		return verdict{status: "failed to update ref", said: []string{err.Error()}}
	case bad == nil:
		return verdict{status: "ok"}
	case bad.workflow != "":
		return verdict{status: fmt.Sprintf("refusing to allow a GitHub App to create or update workflow `%s` without `workflows` permission", bad.workflow)}
	}
	said := []string{"error: GH013: Repository rule violations found for " + name + ".", "Review all repository rules at " + h.pageURL(call.repo) + "/rules", ""}
	for _, message := range bad.rules {
		said = append(said, "- "+message)
	}
	return verdict{status: "push declined due to repository rule violations", said: append(said, "")}
}

// forward tells whether a branch moves without losing commits.
func (g *store) forward(m refMove) (bool, error) {
	if m.from.IsZero() || m.to.IsZero() || !strings.HasPrefix(m.name, "refs/heads/") {
		return true, nil
	}
	return g.ancestor(m.from, m.to)
}

// unpack takes a pack into the repository, few objects as single files, many as a pack.
func (g *store) unpack(pack io.Reader) error {
	if pack == nil {
		return nil
	}
	head := make([]byte, 12)
	n, err := io.ReadFull(pack, head)
	if n == 0 && errors.Is(err, io.EOF) {
		return nil // only deletions
	}
	if err != nil || !bytes.Equal(head[:4], []byte("PACK")) {
		return errors.New("no pack in the request")
	}
	const many = 100 // receive.unpackLimit's default
	args := []string{"-C", g.dir, "unpack-objects", "-q", "--strict"}
	if count := int(head[8])<<24 | int(head[9])<<16 | int(head[10])<<8 | int(head[11]); count >= many {
		args = []string{"-C", g.dir, "index-pack", "--stdin", "--fix-thin", "--strict", "--max-input-size=" + strconv.Itoa(packLimit)}
	}
	_, err = g.run(io.MultiReader(bytes.NewReader(head), pack), args...)
	g.reopen()
	return err
}

// heads are the branches and their commits.
func (g *store) heads() map[string]plumbing.Hash {
	out := map[string]plumbing.Hash{}
	list, err := g.refs("refs/heads/")
	if err != nil {
		return out
	}
	for _, r := range list {
		out[r.Name().Short()] = r.Hash()
	}
	return out
}
