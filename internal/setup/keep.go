package setup

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Kept says where an App's secrets were put.
type Kept struct {
	Config        string // app.yaml, which names the others
	PrivateKey    string
	WebhookSecret string // "": GitHub gave none
}

// probe finds out whether files can be written, before an App is registered whose
// key would then be lost.
func probe(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".probe-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// keep writes the App's secrets and its settings into dir. The settings come last:
// without them the next start offers to register anew. Names carry the App's
// number, so that no other App's key is overwritten.
func keep(dir string, app App, github string) (Kept, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Kept{}, err
	}
	base := filepath.Join(dir, strconv.FormatInt(app.ID, 10))
	k := Kept{Config: filepath.Join(dir, "app.yaml"), PrivateKey: base + ".private-key.pem"}
	settings := fmt.Sprintf("# GitHub App %s, registered by syncer at /setup.\ngithub:\n  url: %q\n  app-id: %d\n  private-key-file: %q\n",
		app.Slug, github, app.ID, k.PrivateKey)
	if err := writeNew(k.PrivateKey, app.PrivateKey); err != nil {
		return Kept{}, err
	}
	if app.WebhookSecret != "" {
		k.WebhookSecret = base + ".webhook-secret"
		if err := writeNew(k.WebhookSecret, app.WebhookSecret+"\n"); err != nil {
			return Kept{}, err
		}
		settings += fmt.Sprintf("  webhook-secret-file: %q\n", k.WebhookSecret)
	}
	return k, writeNew(k.Config, settings)
}

// writeNew makes a file that only this user can read, whole or not at all.
func writeNew(name, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	err = cmp.Or(err, f.Sync())
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
