package localhub

import (
	"compress/gzip"
	"io"
	"net/http"
	"os/exec"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"github.com/gorilla/mux"
)

// webRouter serves what is not the API: git and the page that makes Apps.
func (h *Hub) webRouter() *mux.Router {
	router := mux.NewRouter().SkipClean(true)
	router.HandleFunc("/{owner}/{repo}/info/refs", h.advertise).Methods(http.MethodGet)
	router.HandleFunc("/{owner}/{repo}/git-upload-pack", h.uploadPack).Methods(http.MethodPost)
	router.HandleFunc("/{owner}/{repo}/git-receive-pack", h.receivePack).Methods(http.MethodPost)
	router.HandleFunc("/settings/apps/new", h.newAppPage)
	router.HandleFunc("/organizations/{org}/settings/apps/new", h.newAppPage)
	return router
}

// gitCall is a git request: who asks and for which repository.
type gitCall struct {
	actor *actor
	repo  *repository
}

// gitService runs a git request with its faults and its line in the journal.
func (h *Hub) gitService(w http.ResponseWriter, r *http.Request, template string, serve func(http.ResponseWriter)) {
	entry := Request{Time: h.now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, ID: requestID(), Template: template}
	entry.Installation, entry.Token = h.whose(r)
	h.withFault(w, r, &entry, serve)
}

// gitAccess finds the repository and checks the permission, or answers why not.
func (h *Hub) gitAccess(w http.ResponseWriter, r *http.Request, write bool) (gitCall, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	vars := mux.Vars(r)
	secret := credential(r)
	who := &actor{}
	if secret != "" {
		found, bad := h.holder(secret)
		if bad != nil {
			gitFail(w, http.StatusUnauthorized, "Invalid username or token. Password authentication is not supported for Git operations.")
			return gitCall{}, false
		}
		who = found
	}
	repo, _ := h.state.find(vars["owner"], strings.TrimSuffix(vars["repo"], ".git"))
	if repo == nil || repo.hidden || !who.sees(repo) {
		if secret == "" {
			gitFail(w, http.StatusUnauthorized, "Repository not found.")
			return gitCall{}, false
		}
		gitFail(w, http.StatusNotFound, "Repository not found.")
		return gitCall{}, false
	}
	level := "read"
	if write {
		level = "write"
	}
	switch {
	case !who.may(repo, need{"contents", level}) && secret == "":
		gitFail(w, http.StatusUnauthorized, "Authentication required.")
		return gitCall{}, false
	case !who.may(repo, need{"contents", level}):
		gitFail(w, http.StatusForbidden, "Write access to repository not granted.")
		return gitCall{}, false
	case write && repo.archived:
		gitFail(w, http.StatusForbidden, "This repository was archived so it is read-only.")
		return gitCall{}, false
	}
	h.looked(repo)
	return gitCall{actor: who, repo: repo}, true
}

func gitFail(w http.ResponseWriter, status int, message string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, message) // the client went away
}

func (h *Hub) advertise(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	h.gitService(w, r, service, func(w http.ResponseWriter) {
		if service != "git-upload-pack" && service != "git-receive-pack" {
			gitFail(w, http.StatusForbidden, "Please upgrade your git client. GitHub.com no longer supports git over dumb-http: https://github.blog/changelog/2023-04-10-dumb-http-ends/")
			return
		}
		call, may := h.gitAccess(w, r, service == "git-receive-pack")
		if !may {
			return
		}
		w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
		w.Header().Set("Cache-Control", "no-cache")
		if service == "git-receive-pack" {
			h.advertiseReceive(w, call.repo)
			return
		}
		protocol := r.Header.Get("Git-Protocol")
		if !strings.Contains(protocol, "version=2") {
			_ = pktline.NewEncoder(w).EncodeString("# service=" + service + "\n") // the client went away
			_ = pktline.NewEncoder(w).Flush()
		}
		h.pipe(w, r, call.repo, nil, protocol, "upload-pack", "--stateless-rpc", "--advertise-refs", call.repo.store.dir)
	})
}

// pipe runs a git service between the request and the answer.
func (h *Hub) pipe(w http.ResponseWriter, r *http.Request, repo *repository, stdin io.Reader, protocol string, args ...string) {
	cmd := exec.CommandContext(r.Context(), h.git, args...)
	cmd.Env = append(gitEnvironment(), "GIT_PROTOCOL="+protocol)
	cmd.Stdin, cmd.Stdout = stdin, w
	if err := cmd.Run(); err != nil {
		h.options.Log.Debug("git service ended early", "repository", repo.fullName(), "service", args[0], "error", err)
	}
}

// gitBody is the request's body, unpacked and bounded.
func gitBody(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	body := io.Reader(http.MaxBytesReader(w, r.Body, packLimit))
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = io.LimitReader(unzipped, packLimit)
	}
	return body, nil
}

func (h *Hub) uploadPack(w http.ResponseWriter, r *http.Request) {
	h.gitService(w, r, "git-upload-pack", func(w http.ResponseWriter) {
		call, may := h.gitAccess(w, r, false)
		if !may {
			return
		}
		body, err := gitBody(w, r)
		if err != nil {
			gitFail(w, http.StatusBadRequest, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		w.Header().Set("Cache-Control", "no-cache")
		h.pipe(w, r, call.repo, body, r.Header.Get("Git-Protocol"), "upload-pack", "--stateless-rpc", call.repo.store.dir)
	})
}
