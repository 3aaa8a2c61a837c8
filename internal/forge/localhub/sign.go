package localhub

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// signer signs the commits that are made here, as GitHub signs those made through its
// API without an author and by its buttons.
type signer struct {
	key *openpgp.Entity
	now func() time.Time
}

// webFlow is who GitHub says committed what was made on its servers.
var webFlow = object.Signature{Name: "GitHub", Email: "noreply@github.com"}

func newSigner(now func() time.Time) (*signer, error) {
	key, err := openpgp.NewEntity(webFlow.Name, "", webFlow.Email, &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return now().Add(-24 * time.Hour) },
	})
	if err != nil {
		return nil, err
	}
	return &signer{key: key, now: now}, nil
}

// sign adds a signature to a commit.
func (s *signer) sign(c *object.Commit) error {
	payload, err := unsigned(c)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&out, s.key, bytes.NewReader(payload), &packet.Config{Time: s.now}); err != nil {
		return fmt.Errorf("sign commit: %w", err)
	}
	c.PGPSignature = out.String() + "\n"
	return nil
}

// unsigned is what is signed: the commit without its signature.
func unsigned(c *object.Commit) ([]byte, error) {
	var o plumbing.MemoryObject
	if err := c.EncodeWithoutSignature(&o); err != nil {
		return nil, err
	}
	r, err := o.Reader()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// verification is GitHub's verdict on a commit's signature.
func (s *signer) verification(c *object.Commit) obj {
	verdict := func(verified bool, reason string) obj {
		v := obj{"verified": verified, "reason": reason, "signature": nil, "payload": nil, "verified_at": nil}
		if c.PGPSignature != "" {
			payload, err := unsigned(c)
			if err == nil {
				v["signature"], v["payload"] = c.PGPSignature, string(payload)
			}
		}
		if verified {
			v["verified_at"] = stamp(c.Committer.When)
		}
		return v
	}
	if c.PGPSignature == "" {
		return verdict(false, "unsigned")
	}
	payload, err := unsigned(c)
	if err != nil {
		return verdict(false, "malformed_signature")
	}
	keys := openpgp.EntityList{s.key}
	_, err = openpgp.CheckArmoredDetachedSignature(keys, bytes.NewReader(payload), strings.NewReader(c.PGPSignature), &packet.Config{Time: s.now})
	if err != nil {
		return verdict(false, "unknown_key")
	}
	return verdict(true, "valid")
}

func (s *signer) verified(c *object.Commit) bool {
	yes, _ := s.verification(c)["verified"].(bool)
	return yes
}
