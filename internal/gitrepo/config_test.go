package gitrepo

import (
	"os"
	"testing"

	"github.com/goldenpaths/syncer/internal/gitrepo/gittest"
)

// What a file includes stands where the include stands: git config --show-origin
// says the same of each of these.
func TestIncludesStandWhereTheyAre(t *testing.T) {
	gittest.Isolate(t)
	dir := gittest.Repository(t, nil)
	gittest.Write(t, os.Getenv("HOME"), "work", "[user]\n\tname = Work\n\temail = work@example.com\n")
	for _, test := range []struct{ text, name, email string }{
		{"[include]\n\tpath = work\n[user]\n\temail = own@example.com\n", "Work", "own@example.com"},
		{"[user]\n\tname = Own\n\temail = own@example.com\n[include]\n\tpath = work\n", "Work", "work@example.com"},
		{"[user]\n\tname = Own\n[include]\n\tpath = work\n[core]\n\tx = a\\\n[user]\n[user]\n\tname = Last\n", "Last", "work@example.com"},
		{"  [include]\n\tpath = work ; first\n# [user]\n[user]\n\tname = Own", "Own", "work@example.com"},
	} {
		gittest.Write(t, os.Getenv("HOME"), "gitconfig", test.text)
		if a, _ := open(t, dir).Author(); a.Name != test.name || a.Email != test.email {
			t.Errorf("%q: the author is %s <%s>, want %s <%s>", test.text, a.Name, a.Email, test.name, test.email)
		}
	}
}
