package localhub

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
)

// call is one API request on its way through.
type call struct {
	hub    *Hub
	r      *http.Request
	route  *route
	vars   map[string]string
	body   []byte
	actor  *actor
	repo   *repository
	header http.Header // of the answer
	id     string
}

func (h *Hub) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := &call{hub: h, r: r, header: http.Header{}, id: requestID()}
	var match mux.RouteMatch
	if h.api.Match(r, &match) && match.MatchErr == nil {
		c.vars = match.Vars
		c.route = routeOf(match.Route)
	}
	entry := Request{
		Time: h.now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, ID: c.id,
		Points: points(r.Method), Template: c.template(),
	}
	entry.Content = c.route != nil && c.route.content
	entry.Installation, entry.Token = h.whose(r)
	h.withFault(w, r, &entry, func(w http.ResponseWriter) {
		a := c.run()
		if c.route != nil {
			entry.Points, entry.Content = c.points(), c.creates()
		}
		entry.NotModified = a.status == http.StatusNotModified
		c.send(w, a)
	})
}

func (c *call) template() string {
	if c.route == nil {
		return ""
	}
	return c.route.path
}

// run decides the answer. The hub is locked from the first look at its state until
// the last change.
func (c *call) run() answer {
	if c.route == nil {
		return notFound()
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, bodyLimit))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
		}
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	c.body = body
	h := c.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if bad := c.authenticate(); bad != nil {
		return *bad
	}
	use := h.usage(c.actor)
	if bad := c.limited(use); bad != nil {
		return *bad
	}
	a := c.authorized()
	a = c.conditional(a)
	c.count(use, a)
	return a
}

// points are what the call costs of the secondary limit.
func (c *call) points() int {
	if c.isGraph() && !mutates(c.body) {
		return 1
	}
	return points(c.r.Method)
}

// creates tells whether the call counts as creating content.
func (c *call) creates() bool { return c.route.content || c.isGraph() && mutates(c.body) }

// authorized runs the handler if the caller may.
func (c *call) authorized() answer {
	if moved := c.locate(); moved != nil {
		return *moved
	}
	if bad := c.permitted(); bad != nil {
		return *bad
	}
	return c.route.serve(c)
}

// locate finds the repository that the path names.
func (c *call) locate() *answer {
	if c.vars["template_owner"] != "" {
		c.vars["owner"], c.vars["repo"] = c.vars["template_owner"], c.vars["template_repo"]
	}
	if c.route.who == asApp || !strings.HasPrefix(c.route.path, "/repos/{") && !strings.HasSuffix(c.route.path, "/repos/{owner}/{repo}") {
		return nil
	}
	repo, moved := c.hub.state.find(c.vars["owner"], c.vars["repo"])
	if c.vars["repository_id"] != "" {
		repo, moved = c.hub.state.repos[c.number("repository_id")], false
	}
	if repo == nil || repo.hidden || !c.actor.sees(repo) {
		a := notFound()
		return &a
	}
	if moved {
		a := c.redirect(repo)
		return &a
	}
	c.repo = repo
	return nil
}

// redirect answers where a renamed or transferred repository is now, by its id, with
// the rest of the path as it was.
func (c *call) redirect(repo *repository) answer {
	rest := strings.TrimPrefix(c.r.URL.Path, "/repos/"+c.vars["owner"]+"/"+c.vars["repo"])
	to := fmt.Sprintf("%s/repositories/%d%s", c.hub.apiURL(), repo.id, rest)
	if c.r.URL.RawQuery != "" {
		to += "?" + c.r.URL.RawQuery
	}
	status := http.StatusMovedPermanently
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		status = http.StatusTemporaryRedirect
	}
	return answer{status: status, body: obj{"message": "Moved Permanently", "url": to}}.with("Location", to)
}

// read takes the body into target. A nil answer is success.
func (c *call) read(target any) *answer {
	body := bytes.TrimSpace(c.body)
	if len(body) == 0 || string(body) == "null" {
		body = []byte("{}")
	}
	if !json.Valid(body) {
		a := refuse(http.StatusBadRequest, "Problems parsing JSON")
		return &a
	}
	if body[0] != '{' {
		a := refuse(http.StatusBadRequest, "Body should be a JSON object")
		return &a
	}
	if err := json.Unmarshal(body, target); err != nil {
		field, kind := "", "the expected type"
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			field, kind = wrong.Field, wrong.Type.String()
		}
		a := unprocessable(fmt.Sprintf("Invalid request.\n\nFor 'properties/%s', the value is not of type %s.", field, kind))
		return &a
	}
	return nil
}

// number is a path variable that is a number, or 0.
func (c *call) number(name string) int64 {
	n, err := strconv.ParseInt(c.vars[name], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// conditional adds the ETag and answers 304 where the caller has it already.
func (c *call) conditional(a answer) answer {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead || a.status != http.StatusOK {
		return a
	}
	if a.raw == nil {
		data, err := json.Marshal(a.body)
		if err != nil {
			return broken(err)
		}
		a.raw, a.media = data, "application/json; charset=utf-8"
	}
	sum := sha256.Sum256(a.raw)
	tag := `"` + hex.EncodeToString(sum[:]) + `"`
	a = a.with("ETag", "W/"+tag).with("Cache-Control", "private, max-age=60, s-maxage=60")
	for given := range strings.SplitSeq(c.r.Header.Get("If-None-Match"), ",") {
		if given = strings.TrimSpace(given); given == "*" || strings.TrimPrefix(given, "W/") == tag {
			return answer{status: http.StatusNotModified, header: a.header}
		}
	}
	return a
}

// send writes the answer.
func (c *call) send(w http.ResponseWriter, a answer) {
	head := w.Header()
	maps.Copy(head, c.header)
	maps.Copy(head, a.header)
	head.Set("X-GitHub-Request-Id", c.id)
	head.Set("X-GitHub-Media-Type", "github.v3; format=json")
	head.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
	data, media := a.raw, a.media
	if data == nil && a.body != nil {
		data, media = c.encode(&a), "application/json; charset=utf-8"
	}
	if media != "" {
		head.Set("Content-Type", media)
	}
	if data != nil {
		head.Set("Content-Length", strconv.Itoa(len(data)))
	}
	w.WriteHeader(a.status)
	if c.r.Method != http.MethodHead {
		_, _ = w.Write(data) // the client went away
	}
}

func (c *call) encode(a *answer) []byte {
	if body, isObject := a.body.(obj); isObject && a.failed() {
		if _, has := body["documentation_url"]; !has {
			body["documentation_url"] = c.documentation()
		}
		body["status"] = strconv.Itoa(a.status)
	}
	data, err := json.Marshal(a.body)
	if err != nil {
		a.status = http.StatusInternalServerError
		return []byte(`{"message":"Server Error"}`)
	}
	return data
}

func (c *call) documentation() string {
	switch {
	case c.route == nil || c.route.doc == "" && !c.isGraph():
		return docs
	case c.isGraph():
		return "https://docs.github.com/graphql"
	}
	return docs + "/" + c.route.doc
}

// requestID looks like GitHub's X-GitHub-Request-Id.
func requestID() string {
	var b [14]byte
	_, _ = rand.Read(b[:]) // never fails
	s := strings.ToUpper(hex.EncodeToString(b[:]))
	return s[:4] + ":" + s[4:10] + ":" + s[10:18] + ":" + s[18:26]
}

// reset ends the connection so that the client sees a reset, not an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack() // also through what middleware wraps
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, isTCP := conn.(*net.TCPConn); isTCP {
		_ = tcp.SetLinger(0) // close then sends RST
	}
	_ = conn.Close()
}
