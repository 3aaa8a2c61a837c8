package gitrepo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSource(t *testing.T) {
	for in, want := range map[string]Source{
		"https://github.com/acme/platform":                       {"https://github.com/acme/platform", ""},
		"https://github.com/acme/platform@v1.4.0":                {"https://github.com/acme/platform", "v1.4.0"},
		"https://github.com/acme/platform.git@go-service/v1.2.3": {"https://github.com/acme/platform.git", "go-service/v1.2.3"},
		"https://github.com/acme/platform@feature/x":             {"https://github.com/acme/platform", "feature/x"},
		"https://example.com/@scope/repo":                        {"https://example.com/@scope/repo", ""},
		"https://acme@dev.azure.com/acme/x/_git/platform@^1":     {"https://acme@dev.azure.com/acme/x/_git/platform", "^1"},
		"git@github.com:acme/platform.git":                       {"git@github.com:acme/platform.git", ""},
		"git@github.com:acme/platform.git@~2":                    {"git@github.com:acme/platform.git", "~2"},
		"ssh://git@host:2222/acme/platform.git":                  {"ssh://git@host:2222/acme/platform.git", ""},
		"ssh://git@host/acme/platform.git@main":                  {"ssh://git@host/acme/platform.git", "main"},
		"ssh://git@host":                                         {"ssh://git@host", ""},
		"../platform@>=1 <3":                                     {"../platform", ">=1 <3"},
		"./platform@edge":                                        {"./platform", "edge"},
		"/home/me@work/platform":                                 {"/home/me@work/platform", ""},
		"/home/me@work/platform@v1":                              {"/home/me@work/platform", "v1"},
		"platform@go-service/v1.0.0":                             {"platform", "go-service/v1.0.0"},
		"platform@refs/heads/feature/x":                          {"platform", "refs/heads/feature/x"},
		`C:\work\platform@v2`:                                    {`C:\work\platform`, "v2"},
		`C:\work\platform`:                                       {`C:\work\platform`, ""},
		"file:///srv/platform@worktree":                          {"file:///srv/platform", "worktree"},
		"./@scope":                                               {"./@scope", ""},
	} {
		got, err := ParseSource(in)
		if err != nil {
			t.Errorf("ParseSource(%q): %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseSource(%q) mismatch (-want +got):\n%s", in, diff)
		}
		if got.String() != in {
			t.Errorf("ParseSource(%q).String() = %q", in, got.String())
		}
	}
}

func TestParseSourceRefusesSecretsWithoutRepeatingThem(t *testing.T) {
	for _, in := range []string{
		"https://me:s3cr3tpassword@host/x", "https://ghp_s3cr3tpasswords3cr3t@github.com/a/b@v1",
		"http://x-access-token:s3cr3tpassword@host/x", "ssh://git:s3cr3tpassword@host/x",
		"https://me:s3cr3tpassword@ho st/x", "ftp://me:s3cr3tpassword@host/x",
	} {
		_, err := ParseSource(in)
		if err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("ParseSource(%q): %v; want an error without the secret", in, err)
		}
	}
}

func TestParseSourceRefuses(t *testing.T) {
	for _, in := range []string{"", " ", "platform@", "https:///x", "git://host/x", "svn://host/x", "a\x00b", "a\nb"} {
		if got, err := ParseSource(in); err == nil {
			t.Errorf("ParseSource(%q) = %v, want an error", in, got)
		}
	}
}

func FuzzParseSource(f *testing.F) {
	for _, s := range []string{"a@b", "git@h:p@v", "https://u:p@h/p@v", "/a@b/c", "C:\\x@y", "://@", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseSource(in)
		if err != nil {
			return
		}
		again, err := ParseSource(s.String())
		if err != nil || again != s {
			t.Errorf("ParseSource(%q) = %#v; its String reads back as %#v, %v", in, s, again, err)
		}
	})
}

func TestOwnerAndName(t *testing.T) {
	for in, want := range map[string][2]string{
		"git@github.com:acme/pay.git":            {"acme", "pay"},
		"https://github.com/acme/pay":            {"acme", "pay"},
		"https://gitlab.com/acme/team/pay.git/":  {"acme/team", "pay"},
		"ssh://git@host:2222/acme/pay.git":       {"acme", "pay"},
		"/srv/git/pay.git":                       {"srv/git", "pay"},
		"pay":                                    {"", "pay"},
		"https://me:secret@github.com/acme/pay/": {"acme", "pay"},
	} {
		owner, name := ownerAndName(in)
		if diff := cmp.Diff(want, [2]string{owner, name}); diff != "" {
			t.Errorf("%s mismatch (-want +got):\n%s", in, diff)
		}
	}
}

func TestParseNetrc(t *testing.T) {
	text := `# a comment
machine other login x password y
machine github.com
  login me
  password to#ken
macdef init
  machine evil login a password b

default login anonymous password guest
`
	for host, want := range map[string][2]string{
		"github.com": {"me", "to#ken"}, "GitHub.com": {"me", "to#ken"}, "other": {"x", "y"},
		"evil": {"anonymous", "guest"},
	} {
		login, password, ok := parseNetrc(text, host)
		if diff := cmp.Diff(want, [2]string{login, password}); !ok || diff != "" {
			t.Errorf("%s: %v, mismatch (-want +got):\n%s", host, ok, diff)
		}
	}
	if _, _, ok := parseNetrc("machine a login b\nmachine c password d", "a"); ok {
		t.Error("an entry without a password was taken")
	}
}
