package forge

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/golang-jwt/jwt/v4"
)

// maxKey bounds the file of a private key, in bytes. One of 4,096 bits has 3,300.
const maxKey = 64 << 10

// KeyFile returns a function that reads a private key from a file, in PEM.
func KeyFile(path string) func() ([]byte, error) {
	return func() ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxKey+1))
		if err == nil && len(data) > maxKey {
			err = fmt.Errorf("%s is no private key: it has more than %d bytes", path, maxKey)
		}
		return data, err
	}
}

// keyring signs what the App says about itself. It reads the key again at every
// signature, about once an hour for each installation, so that a rotated key
// needs no restart; while the new one cannot be read it keeps the one it has.
type keyring struct {
	read  func() ([]byte, error)
	clock *clock
	log   *slog.Logger

	mu     sync.Mutex
	digest [sha256.Size]byte
	key    *rsa.PrivateKey
}

// current returns the key as it is now.
func (k *keyring) current() (*rsa.PrivateKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	data, err := k.read()
	if err == nil {
		if digest := sha256.Sum256(data); k.key == nil || digest != k.digest {
			var key *rsa.PrivateKey
			if key, err = parseKey(data); err == nil {
				k.key, k.digest = key, digest
			}
		}
	}
	if err == nil {
		return k.key, nil
	}
	if k.key == nil {
		return nil, fmt.Errorf("the App's private key: %w", err)
	}
	k.log.Warn("the App's private key cannot be read; keeping the one in use", "error", err)
	return k.key, nil
}

func parseKey(data []byte) (*rsa.PrivateKey, error) {
	if !bytes.Contains(data, []byte("-----BEGIN")) {
		return nil, errors.New("it is not in PEM; use the .pem file that GitHub gave when the key was made")
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM(data)
	if err != nil {
		return nil, fmt.Errorf("it is not an RSA key in PEM; use the .pem file that GitHub gave when the key was made: %w", err)
	}
	return key, nil
}

// Sign signs the claims of ghinstallation, moved to GitHub's clock.
func (k *keyring) Sign(claims jwt.Claims) (string, error) {
	key, err := k.current()
	if err != nil {
		return "", err
	}
	if c, ok := claims.(*jwt.RegisteredClaims); ok {
		skew := k.clock.skew()
		c.IssuedAt = jwt.NewNumericDate(c.IssuedAt.Add(skew))
		c.ExpiresAt = jwt.NewNumericDate(c.ExpiresAt.Add(skew))
	}
	return ghinstallation.NewRSASigner(jwt.SigningMethodRS256, key).Sign(claims)
}

// clock knows how far GitHub's clock is from this machine's.
type clock struct {
	now    func() time.Time
	offset atomic.Int64 // nanoseconds that GitHub is ahead
}

// Differences below the first are those of a Date header, which has whole seconds
// and a journey behind it. A day is beyond any clock that was once set.
const (
	minSkew = 20 * time.Second
	maxSkew = 24 * time.Hour
)

// learn takes GitHub's clock from an answer's Date.
func (c *clock) learn(date string) {
	t, err := time.Parse(time.RFC1123, date)
	if err != nil {
		return
	}
	off := t.Sub(c.now())
	if off.Abs() < minSkew {
		off = 0
	}
	if off.Abs() <= maxSkew {
		c.offset.Store(int64(off))
	}
}

// skew returns how far GitHub's clock is ahead; 0 where they agree.
func (c *clock) skew() time.Duration { return time.Duration(c.offset.Load()) }
