package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	signatureHeader = "X-Hub-Signature-256"
	signaturePrefix = "sha256="
)

// secrets are the keys that may have signed a delivery. They print as their number,
// so that none of them reaches a log by way of a structure that holds them.
type secrets struct{ keys [][]byte }

// String does not tell the secrets.
func (s secrets) String() string { return fmt.Sprintf("%d secrets", len(s.keys)) }

// newSecrets refuses what would accept deliveries that nobody signed.
func newSecrets(all []string) (secrets, error) {
	var s secrets
	for i, one := range all {
		if strings.TrimSpace(one) == "" {
			return s, fmt.Errorf("webhook secret %d of %d is empty: anybody could sign with it; give the secret that is set in the App's settings", i+1, len(all))
		}
		s.keys = append(s.keys, []byte(one))
	}
	if len(s.keys) == 0 {
		return s, errors.New("no webhook secret is configured: deliveries could not be told from forgeries; give the secret that is set in the App's settings")
	}
	return s, nil
}

// signed says whether header is the SHA-256 signature of body by one of the
// secrets. All of them are tried, in the same time whichever it was.
func (s secrets) signed(body []byte, header string) bool {
	text, ok := strings.CutPrefix(header, signaturePrefix)
	if !ok || len(text) != hex.EncodedLen(sha256.Size) {
		return false
	}
	got, err := hex.DecodeString(text)
	if err != nil {
		return false
	}
	found := false
	for _, key := range s.keys {
		mac := hmac.New(sha256.New, key)
		mac.Write(body)
		found = hmac.Equal(mac.Sum(nil), got) || found
	}
	return found
}
