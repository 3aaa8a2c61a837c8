package gitrepo

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

// A server repeats what it was told, in clear and as it was sent; and net/http
// repeats the URL, in its own spelling.
func TestPushErrorsShowNoSecret(t *testing.T) {
	gittest.Isolate(t)
	const token = "ghp_S3CRETS3CRETS3CRETS3CRETS3CRET"
	header := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		header = strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no %s:%s, %s", user, password, header)
	}))
	host := strings.TrimPrefix(server.URL, "http://")
	remotes := []string{"http://" + token + "@", "HTTP://" + token + "@", "http://me:pS3CRET%2f@", "http://" + token + ":x-oauth-basic@", "http://"}
	t.Setenv(tokenVariable, token)
	dir := gittest.Repository(t, map[string]string{"a": "x"})
	for _, answers := range []bool{true, false} {
		if !answers {
			server.Close()
		}
		for _, remote := range remotes {
			err := open(t, dir).Push(t.Context(), remote+host+"/x.git", "main", "")
			if err == nil || strings.Contains(err.Error(), "S3CRET") || strings.Contains(err.Error(), header) {
				t.Errorf("pushing to %s: %v", remote, err)
			}
		}
	}
}
