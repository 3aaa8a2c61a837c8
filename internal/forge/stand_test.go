package forge

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// newKey makes a private key in PEM. 1,024 bits are enough for tests, and quick.
func newKey(t *testing.T) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// stand is an HTTP server that gives tokens as GitHub does, with a clock of its
// own; everything else is the test's handler. It is for what happens below the
// API: clocks, keys, broken answers. What GitHub means is tested on localhub.
type stand struct {
	*httptest.Server
	handle http.HandlerFunc

	mu      sync.Mutex
	keys    []*rsa.PublicKey
	ahead   time.Duration // of the server's clock
	tokens  int
	asked   []map[string]any // bodies of token requests
	refused int
	seen    []*http.Request
}

func newStand(t *testing.T, handle http.HandlerFunc, keys ...*rsa.PrivateKey) *stand {
	t.Helper()
	s := &stand{handle: handle}
	for _, k := range keys {
		s.keys = append(s.keys, &k.PublicKey)
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *stand) now() time.Time { return time.Now().Add(s.ahead) }

func (s *stand) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Clone(r.Context()))
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	bearer, isApp := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isApp {
		s.mu.Unlock()
		s.handle(w, r)
		return
	}
	defer s.mu.Unlock()
	if problem := s.judge(bearer); problem != "" {
		s.refused++
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"message":%q}`, problem)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/access_tokens") {
		var body map[string]any
		if json.NewDecoder(r.Body).Decode(&body) == nil {
			s.asked = append(s.asked, body)
		}
		s.tokens++
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"token":"secret-token-%d","expires_at":%q}`, s.tokens, s.now().Add(time.Hour).UTC().Format(time.RFC3339))
		return
	}
	s.handle(w, r)
}

// judge checks a signature as GitHub does, with GitHub's words.
func (s *stand) judge(bearer string) string {
	var claims jwt.RegisteredClaims
	ok := false
	for _, k := range s.keys {
		_, err := jwt.NewParser(jwt.WithoutClaimsValidation()).ParseWithClaims(bearer, &claims, func(*jwt.Token) (any, error) { return k, nil })
		ok = ok || err == nil
	}
	switch {
	case !ok:
		return "A JSON web token could not be decoded"
	case claims.ExpiresAt.After(s.now().Add(10 * time.Minute)):
		return "'Expiration time' claim ('exp') is too far in the future"
	case claims.ExpiresAt.Before(s.now()):
		return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
	case claims.IssuedAt.After(s.now()):
		return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
	}
	return ""
}

// standApp makes an App for a stand, without paces.
func standApp(t *testing.T, s *stand, key func() ([]byte, error), change func(*Config)) (*App, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg := Config{
		URL: s.URL, AppID: 7, Key: key, UserAgent: "syncer/test", Timeout: 5 * time.Second,
		Pace: Pace{MutationGap: -1}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a, &log
}

func fixed(data []byte) func() ([]byte, error) { return func() ([]byte, error) { return data, nil } }

// repo answers any read with one repository.
func repo(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, `{"id":5,"node_id":"R_5","name":"pay","owner":{"login":"acme","type":"Organization"},"default_branch":"main"}`)
}
